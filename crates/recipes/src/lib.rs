//! The native recipes, one file each, and their registry.

pub mod lint;

mod generate_password;
mod hexagonit_recipe_download;
mod jinja;
mod logrotate;
mod logrotate_d;
mod mkdirectory;
mod options;
mod output_file;
mod plone_recipe_command;
mod registry;
mod shell;
mod slapos_recipe_build_download;
mod slapos_recipe_build_download_unpacked;
mod slapos_recipe_template;
mod slapos_recipe_template_jinja2;
mod symbolic_link;
mod unpack;
mod wrapper_script;
mod zc_recipe_egg;

pub use registry::REGISTRY;
