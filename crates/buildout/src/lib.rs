//! The build engine: profile, sections, parts, installed files; the trait of recipes; eggs.
