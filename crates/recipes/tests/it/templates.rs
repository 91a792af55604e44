//! Files from templates.

use std::sync::Arc;

use buildout::foreign::Moment;
use buildout::{Build, ForeignRecipes, Part, Recipe, RecipeError, Section, Uninstall};
use camino::Utf8PathBuf;
use insta::assert_snapshot;

use crate::trial::Trial;

fn jinja(options: &str) -> Trial {
    Trial::with_profile(&format!(
        "[buildout]\nparts = file\n[file]\nrecipe = slapos.recipe.template:jinja2\noutput = ${{buildout:directory}}/out\n{options}\n\
         [data]\nport = 8080\nlist = !py![1, 'two']\njson = {{\"a\": [1, 2]}}\n"
    ))
}

#[test]
fn the_tutorials_form_of_jinja2_works() {
    let trial = Trial::with_profile(
        "[buildout]\nparts = config\n[config]\nrecipe = slapos.recipe.template:jinja2\ntemplate = inline:\n  \
         host = {{ configuration.host }}\n  port = {{ configuration.port }}\nrendered = ${buildout:directory}/app.cfg\n\
         mode = 600\ncontext =\n  key configuration.host parameter:configuration.host\n  \
         key configuration.port parameter:configuration.port\n\
         [parameter]\nconfiguration.host = 127.0.0.1\nconfiguration.port = 5000\n",
    );

    trial.built();

    assert_eq!(trial.read("app.cfg"), "host = 127.0.0.1\nport = 5000");
    assert_eq!(trial.mode("app.cfg"), 0o600);
}

#[test]
fn every_kind_of_variable_reaches_the_template() {
    let trial = jinja(
        "inline = {{ text }} {{ port }} {{ items }} {{ number }} {{ parsed.a }} {{ data.port }} {{ json_module.dumps(items) }}\n\
         context =\n  raw text a  b\n  key port data:port\n  key items data:list\n  json number 4.5\n  \
         jsonkey parsed data:json\n  section data data\n  import json_module json",
    );

    trial.built();

    assert_eq!(trial.read("out"), "a  b 8080 [1, 'two'] 4.5 [1, 2] 8080 [1, \"two\"]");
}

#[test]
fn a_changed_value_renders_the_file_again() {
    let trial = jinja("inline = {{ port }}\ncontext = key port data:port");
    trial.built();
    trial.write("buildout.cfg", trial.read("buildout.cfg").replace("8080", "9090"));

    let outcome = trial.built();

    assert_eq!(trial.read("out"), "9090");
    assert_eq!(outcome.installed, ["file"]);
}

#[test]
fn a_template_in_a_file_is_rendered_by_every_build() {
    let trial = jinja("url = ${buildout:directory}/template");
    trial.write("template", "one");
    trial.built();
    trial.write("template", "two");

    trial.built();

    assert_eq!(trial.read("out"), "two");
}

#[test]
fn once_writes_once_and_leaves_the_file_to_its_users() {
    let trial = jinja("inline = first\nonce = ${buildout:directory}/done");
    trial.built();
    trial.write("out", "changed by hand");
    trial.built();
    trial.write("buildout.cfg", "[buildout]\nparts =\n");

    trial.built();

    assert_eq!(trial.read("out"), "changed by hand");
    assert!(trial.path("done").exists());
}

#[test]
fn a_syntax_error_names_the_file_and_the_line() {
    let trial = jinja("url = ${buildout:directory}/template");
    trial.write("template", "fine\n{% if %}\n");

    assert_snapshot!(trial.refused(), @r"
    E-template: the template cannot be rendered
      because: DIRECTORY/template:2: expected an expression, found the end of the tag
      hint: correct line 2 of DIRECTORY/template
    ");
}

#[test]
fn an_undefined_name_is_named_with_its_place() {
    let trial = jinja("url = ${buildout:directory}/template");
    trial.write("template", "fine\n\nport = {{ prot }}\n");

    assert_snapshot!(trial.refused(), @r"
    E-template: the template cannot be rendered
      because: DIRECTORY/template:3: `prot` is undefined
      hint: correct line 3 of DIRECTORY/template
    ");
    assert!(!trial.path("out").exists());
}

#[test]
fn an_error_inside_an_imported_template_is_reported_there() {
    let trial = jinja(
        "inline = {% import 'lib' as lib %}{{ lib.f() }}\nimport-list = rawfile lib ${buildout:directory}/lib.jinja",
    );
    trial.write("lib.jinja", "{% macro f() %}\n{{ nope }}{% endmacro %}");

    assert_snapshot!(trial.refused(), @r"
    E-template: the template cannot be rendered
      because: DIRECTORY/lib.jinja:2: an undefined value is used
      hint: correct line 2 of DIRECTORY/lib.jinja
    ");
}

#[test]
fn options_that_contradict_each_other_are_refused() {
    let both = jinja("inline = x\nurl = y");
    let neither = jinja("");
    let duplicate = jinja("inline = x\ncontext =\n  raw a 1\n  raw a 2");
    let module = jinja("inline = x\ncontext = import subprocess subprocess");
    let kind = jinja("inline = x\ncontext = value a 1");
    let missing = jinja("inline = x\ncontext = key a data:nothing");

    assert_snapshot!(both.refused(), @r"
    E-recipe-failed: options 'inline' & 'url' conflict
      hint: keep `url` for a template in a file, or `inline` for one in the profile
    ");
    assert_snapshot!(neither.refused(), @r"
    E-recipe-failed: one of the options 'inline' 'url' is required
      hint: add `url = …` with the path of the template, or `inline =` with its text
    ");
    assert_snapshot!(duplicate.refused(), @r"
    E-recipe-failed: Duplicate context entry 'a'
      hint: give the variable another name
    ");
    assert_snapshot!(module.refused(), @r"
    E-recipe-failed: the Python module `subprocess` is not available to templates
      hint: pin slapos.recipe.template in [versions], and Python renders the template
    ");
    assert_snapshot!(kind.refused(), @r"
    E-recipe-failed: `value` is no kind of variable
      hint: the kinds are raw, key, json, jsonkey, section and import
    ");
    assert_snapshot!(missing.refused(), @r"E-profile-missing-option: section [data] has no option `nothing`");
}

#[test]
fn the_profiles_own_language_pulls_the_parts_it_names() {
    let trial = Trial::with_profile(
        "[buildout]\nparts = file\n[file]\nrecipe = slapos.recipe.template\nurl = ${buildout:directory}/template\n\
         output = ${buildout:directory}/a/b/out\nown = mine\n\
         [directories]\nrecipe = slapos.cookbook:mkdirectory\netc = ${buildout:directory}/etc\n",
    );
    trial.write("template", "${directories:etc} ${:own} $${kept} $$5\n");

    trial.built();

    assert_eq!(trial.read("a/b/out"), format!("{}/etc mine ${{kept}} $5\n", trial.root()));
    assert!(trial.path("etc").is_dir());
}

#[test]
fn a_template_with_another_md5_is_refused() {
    let trial = Trial::with_profile(
        "[buildout]\nparts = file\n[file]\nrecipe = slapos.recipe.template\nurl = ${buildout:directory}/template\n\
         md5sum = 00000000000000000000000000000000\noutput = ${buildout:directory}/out\n",
    );
    trial.write("template", "text");

    assert_snapshot!(trial.refused(), @r"E-download-checksum: the local file is not the one the profile expects");
}

/// Stands in for the Python worker: it writes who rendered.
struct Python;

struct ByPython;

impl ForeignRecipes for Python {
    fn initialise(
        &self,
        name: &str,
        section: &mut Section<'_>,
    ) -> Result<Option<Box<dyn Recipe>>, RecipeError> {
        assert_eq!((name, section.name()), ("slapos.recipe.template:jinja2", "file"));
        Ok(Some(Box::new(ByPython)))
    }

    fn signature(&self, _: &str, _: &mut Section<'_>) -> Result<String, RecipeError> {
        Ok(String::new())
    }

    fn uninstall(&self, _: &str, _: &Uninstall<'_>, _: &mut Build<'_>) -> Result<(), RecipeError> {
        Ok(())
    }

    fn extend(&self, _: &[String], _: Moment, _: &mut Build<'_>) -> Result<(), RecipeError> {
        Ok(())
    }
}

impl Recipe for ByPython {
    fn install(&mut self, part: &mut Part<'_>) -> Result<Vec<Utf8PathBuf>, RecipeError> {
        let output = part.resolve("out");
        host::files::replace(&output, "by Python", 0o644).unwrap();
        Ok(vec![output])
    }
}

#[test]
fn what_only_python_can_do_is_left_to_it_when_its_recipe_is_pinned() {
    let pinned = "\n[versions]\nslapos.recipe.template = 5.1\n[data]\n";
    let cases = [
        ("inline = x\ncontext = import subprocess subprocess", "by Python"),
        ("inline = {{ 'a'|wordwrap(1) }}", "by Python"),
        ("inline = {{ [1, 2]|sum }}", "3"),
    ];
    for (options, expected) in cases {
        let trial = jinja(&format!("{options}{pinned}"));

        trial.build_with(Some(Arc::new(Python))).unwrap();

        assert_eq!(trial.read("out"), expected, "{options}");
    }
}

#[test]
fn a_mistake_is_reported_without_asking_python() {
    let trial = jinja("inline = {{ nope }}\n[versions]\nslapos.recipe.template = 5.1\n[data]\n");

    let error = trial.build_with(Some(Arc::new(Python))).unwrap_err();

    assert_eq!(error.code(), "E-template");
}

#[test]
fn an_error_in_a_template_shows_its_line_and_the_nearest_name() {
    let trial = Trial::with_profile(
        "[buildout]\nparts = t\n[t]\nrecipe = slapos.recipe.template:jinja2\nurl = ${buildout:directory}/a.in\n\
         output = ${buildout:directory}/a\ncontext = raw who me\n",
    );
    let told = |template: &str| {
        trial.write("a.in", template);
        let error = trial.build().unwrap_err();
        buildout::report::render(&error, false).replace(trial.root().as_str(), "DIRECTORY")
    };

    let misspelt = told("one\n{{ whoo }}\n");
    assert!(misspelt.contains("DIRECTORY/a.in:2:1") && misspelt.contains("2 │ {{ whoo }}"), "{misspelt}");
    assert!(misspelt.contains("hint: did you mean `who`?"), "{misspelt}");
    let unknown = told("{{ colour }}\n");
    assert!(unknown.contains("hint: `context` has who; add a line to it"), "{unknown}");
    let broken = told("{% if x %}\n");
    assert!(broken.contains("1 │ {% if x %}") || broken.contains("DIRECTORY/a.in:"), "{broken}");
}

#[test]
fn a_path_that_is_too_long_says_how_long_it_may_be() {
    let trial = Trial::with_profile(&format!(
        "[buildout]\nparts = t\n[t]\nrecipe = slapos.recipe.template\ninline = x\n\
         output = ${{buildout:directory}}/{}\n",
        "x".repeat(300)
    ));

    assert!(trial.refused().contains("choose a shorter path"), "{}", trial.refused());
}
