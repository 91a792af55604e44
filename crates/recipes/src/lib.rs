//! The native recipes, one file each, and their registry.

pub mod lint;
mod zc_recipe_egg;
