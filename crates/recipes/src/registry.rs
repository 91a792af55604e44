//! Every native recipe: the only list of them.

use buildout::RecipeKind;

use crate::{
    free_port, generate_password, hexagonit_recipe_download, logrotate, logrotate_d, mkdirectory,
    plone_recipe_command, promise_plugin, publish, slapconfiguration, slapos_recipe_build_download,
    slapos_recipe_build_download_unpacked, slapos_recipe_cmmi, slapos_recipe_template,
    slapos_recipe_template_jinja2, symbolic_link, wrapper, zc_buildout_debug, zc_recipe_egg,
    zc_recipe_egg_custom, zc_recipe_egg_develop, zc_recipe_egg_eggs,
};

/// The native recipes.
pub static REGISTRY: &[&dyn RecipeKind] = &[
    &free_port::FreePort,
    &generate_password::GeneratePassword,
    &hexagonit_recipe_download::HexagonitDownload,
    &logrotate::Logrotate,
    &logrotate_d::LogrotateEntry,
    &mkdirectory::MkDirectory,
    &plone_recipe_command::Command,
    &promise_plugin::PromisePlugin,
    &publish::Publish::PLAIN,
    &publish::Publish::SERIALISED,
    &slapconfiguration::SlapConfiguration::PLAIN,
    &slapconfiguration::SlapConfiguration::SERIALISED,
    &slapos_recipe_build_download::BuildDownload,
    &slapos_recipe_build_download_unpacked::BuildDownloadUnpacked,
    &slapos_recipe_cmmi::Cmmi,
    &slapos_recipe_template::Template,
    &slapos_recipe_template_jinja2::Jinja2Template,
    &symbolic_link::SymbolicLink,
    &wrapper::Wrapper,
    &zc_buildout_debug::Debug,
    &zc_recipe_egg::Scripts,
    &zc_recipe_egg_custom::Custom,
    &zc_recipe_egg_develop::Develop,
    &zc_recipe_egg_eggs::OnlyEggs,
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_name_is_listed_twice_and_every_recipe_is_documented() {
        let mut seen = BTreeSet::new();
        for recipe in REGISTRY {
            assert!(!recipe.names().is_empty() && !recipe.summary().is_empty(), "{:?}", recipe.names());
            for name in recipe.names() {
                assert!(seen.insert(name), "{name} is listed twice");
            }
            for option in recipe.options() {
                assert!(!option.meaning.is_empty() && !option.meaning.ends_with('.'), "{}", option.name);
            }
        }
    }

    #[test]
    fn every_file_that_has_a_recipe_is_listed_and_documents_its_options() {
        let directory = camino::Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let registry = fs_err::read_to_string(directory.join("registry.rs")).unwrap();
        for entry in directory.read_dir_utf8().unwrap() {
            let path = entry.unwrap().into_path();
            let Ok(text) = fs_err::read_to_string(&path) else { continue };
            if path.file_name() == Some("registry.rs") || !text.contains(concat!("impl Recipe", "Kind for")) {
                continue;
            }
            let stem = path.file_stem().unwrap();
            assert!(registry.contains(&format!("&{stem}::")), "{stem} is not in the registry");
            let manual: String = text.lines().take_while(|line| line.starts_with("//!")).collect();
            for option in text.split("OptionDoc::").skip(1) {
                let Some(name) = option.split('"').nth(1) else { continue };
                let is_any = name == "*" || name.ends_with('*');
                assert!(
                    is_any || manual.contains(&format!("`{name}`")),
                    "{stem}: `{name}` is not in its manual page"
                );
            }
        }
    }
}
