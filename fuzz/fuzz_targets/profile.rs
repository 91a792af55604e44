//! Profiles: any text is read or refused.

#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| buildout::fuzzing::profile(text));
