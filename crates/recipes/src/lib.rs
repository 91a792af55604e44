//! The native recipes, one file each, and their registry.

pub mod lint;

mod free_port;
mod generate_password;
mod hexagonit_recipe_download;
mod instance_hooks;
mod jinja;
mod logrotate;
mod logrotate_d;
mod master_connection;
mod mkdirectory;
mod options;
mod output_file;
mod part_environment;
mod percent_names;
mod plone_recipe_command;
mod pretty;
mod promise_plugin;
mod publish;
mod registry;
mod shell;
mod slapconfiguration;
mod slapos_recipe_build_download;
mod slapos_recipe_build_download_unpacked;
mod slapos_recipe_cmmi;
mod slapos_recipe_template;
mod slapos_recipe_template_jinja2;
mod symbolic_link;
mod unpack;
mod wrapper;
mod wrapper_script;
mod zc_buildout_debug;
mod zc_recipe_egg;
mod zc_recipe_egg_custom;
mod zc_recipe_egg_develop;
mod zc_recipe_egg_eggs;

pub use registry::REGISTRY;

/// What a build does around its parts, for sections that need no recipe.
#[must_use]
pub fn hooks() -> Vec<Box<dyn buildout::BuildHook>> {
    vec![Box::new(instance_hooks::InstanceHooks::default())]
}
