//! Parts worked on at once. They meet at files: a part that waits for another one that is not there in time fails.

use std::time::{Duration, Instant};

use host::process::Program;

use super::*;
use crate::{Action, Turn};

/// `test:beside` creates the file `starts`, waits for the file `awaits`, says `says`, and then does what its other
/// options tell it; `test:in-order` does the same in its place.
pub(super) struct BesideKind;
pub(super) struct InOrderKind;
#[derive(Default)]
struct Meeting {
    is_beside: bool,
    /// What the profile says about distributions, for a part that wants some.
    eggs: Option<crate::EggSettings>,
}

const OPTIONS: &[OptionDoc] = &[OptionDoc::optional("*", "what to do")];

impl RecipeKind for BesideKind {
    fn names(&self) -> &'static [&'static str] {
        &["test:beside"]
    }

    fn summary(&self) -> &'static str {
        "meet others"
    }

    fn options(&self) -> &'static [OptionDoc] {
        OPTIONS
    }

    fn initialise(&self, section: &mut Section<'_>) -> Result<Box<dyn Recipe>, RecipeError> {
        let eggs = section.get("eggs")?.map(|_| section.egg_settings()).transpose()?;
        Ok(Box::new(Meeting { is_beside: true, eggs }))
    }
}

impl RecipeKind for InOrderKind {
    fn names(&self) -> &'static [&'static str] {
        &["test:in-order"]
    }

    fn summary(&self) -> &'static str {
        "meet others, in order"
    }

    fn options(&self) -> &'static [OptionDoc] {
        OPTIONS
    }

    fn initialise(&self, _: &mut Section<'_>) -> Result<Box<dyn Recipe>, RecipeError> {
        Ok(Box::<Meeting>::default())
    }
}

impl Recipe for Meeting {
    fn turn(&self, action: Action) -> Turn {
        match (self.is_beside, action) {
            (false, _) => Turn::InOrder,
            (true, Action::Update) => Turn::Quick,
            (true, _) => Turn::Beside,
        }
    }

    fn install(&mut self, part: &mut Part<'_>) -> Result<Vec<Utf8PathBuf>, RecipeError> {
        let own = part.resolve(part.name());
        part.created(&own);
        fs_err::write(&own, "").unwrap();
        if let Some(name) = part.get("starts")? {
            fs_err::write(part.resolve(&name), "").unwrap();
        }
        if let Some(name) = part.get("awaits")? {
            let (path, deadline) = (part.resolve(&name), Instant::now() + Duration::from_secs(120));
            while !path.exists() {
                if Instant::now() > deadline {
                    return Err(RecipeError::new(format!("nobody made {name}")));
                }
                std::thread::sleep(Duration::from_millis(2));
            }
        }
        if let Some(name) = part.get("refuses")?
            && part.resolve(&name).exists()
        {
            return Err(RecipeError::new(format!("{name} came too early")));
        }
        if let (Some(settings), Some(eggs)) = (&self.eggs, part.get("eggs")?) {
            part.install_eggs(settings, &[eggs])?;
        }
        if let Some(text) = part.get("says")? {
            part.run(Program::new("/bin/echo").arg(text))?;
        }
        match part.get("ends")?.as_deref() {
            Some("badly") => return Err(RecipeError::new("the part fails")),
            Some("by panic") => panic!("the recipe has a fault"),
            _ => {}
        }
        if let Some(name) = part.get("ends-with")? {
            fs_err::write(part.resolve(&name), "").unwrap();
        }
        Ok(vec![own])
    }
}

/// A directory with parts of these options; all may run at once.
fn bench(parts: &[(&str, &str)]) -> Bench {
    let names: Vec<&str> = parts.iter().map(|(name, _)| *name).collect();
    let mut profile = format!("[buildout]\nparts = {}\njobs = {}\n", names.join(" "), parts.len());
    for (name, options) in parts {
        let recipe = if options.starts_with("recipe = ") { "" } else { "recipe = test:beside\n" };
        profile.extend(["[", name, "]\n", recipe, options, "\n"]);
    }
    Bench::with(&profile)
}

/// The parts of the record, in its order.
fn recorded(bench: &Bench) -> String {
    let record = bench.read(".installed.cfg");
    record.lines().find_map(|line| line.strip_prefix("parts = ")).unwrap_or_default().to_owned()
}

/// What was done, without what options nobody reads.
fn without_warnings(log: &str) -> String {
    let lines = log.lines().filter(|line| line.starts_with("Installing") || line.starts_with("Updating"));
    lines.map(|line| format!("{line}\n")).collect()
}

fn without_directories(log: &str) -> String {
    log.lines().filter(|line| !line.starts_with("Creating")).map(|line| format!("{line}\n")).collect()
}

#[test]
fn parts_that_do_not_refer_to_one_another_are_built_at_once() {
    let bench =
        bench(&[("a", "starts = a-began\nawaits = b-began"), ("b", "starts = b-began\nawaits = a-began")]);

    bench.succeed("");
}

#[test]
fn one_job_is_one_part_at_a_time() {
    let bench = bench(&[("a", "ends-with = a-done"), ("b", "starts = b-began\nawaits = a-done")]);
    bench.write("buildout.cfg", &bench.read("buildout.cfg").replace("[a]", "[a]\nrefuses = b-began"));

    bench.succeed("-j1");
}

#[test]
fn a_part_waits_for_what_it_refers_to_through_a_section_that_is_no_part() {
    let bench = bench(&[
        ("a", "starts = a-began\nawaits = c-done\nrefuses = b-began"),
        ("b", "starts = b-began\ndata = ${between:data}"),
        ("c", "awaits = a-began\nends-with = c-done"),
    ]);
    bench.write("buildout.cfg", &(bench.read("buildout.cfg") + "[between]\ndata = ${a:recipe}\n"));

    bench.succeed("");
}

#[test]
fn a_part_in_order_waits_for_all_parts_before_it_and_holds_up_none() {
    let bench = bench(&[
        ("a", "awaits = c-done\nrefuses = b-began"),
        ("b", "recipe = test:in-order\nstarts = b-began"),
        ("c", "ends-with = c-done"),
    ]);

    bench.succeed("");
}

#[test]
fn what_parts_say_and_the_record_come_in_the_order_of_the_parts() {
    let bench = bench(&[
        ("a", "awaits = b-done\nsays = first"),
        ("b", "awaits = c-done\nsays = second\nends-with = b-done"),
        ("c", "says = third\nends-with = c-done"),
    ]);

    let log = without_directories(&bench.succeed(""));

    assert_eq!(log, "Installing a.\nfirst\nInstalling b.\nsecond\nInstalling c.\nthird\n");
    assert_eq!(recorded(&bench), "a b c");
    assert_eq!(bench.read(".build-log/b.log"), "second\n");
}

#[test]
fn when_one_part_fails_the_other_is_completed_and_the_next_run_resumes_at_the_failed_one() {
    let bench = bench(&[
        ("a", "awaits = b-began\nsays = why\nstarts = a-began\nends = badly"),
        ("b", "starts = b-began\nawaits = a-began\nsays = well"),
        ("c", "data = ${a:recipe}"),
    ]);

    let done = bench.run("");

    let error = done.result.unwrap_err();
    assert_eq!(error.to_string(), "the part fails");
    assert_eq!(error.activities(), ["Installing a."]);
    let end = "Installing a.\nwhy\nInstalling b.\nwell\n\nOutput of part a, which failed:\nwhy\n";
    assert_eq!(without_directories(&done.log), end);
    assert_eq!(recorded(&bench), "b");
    assert!(!exists(bench.path("a")) && exists(bench.path("b")) && !exists(bench.path("c")));

    bench.write("buildout.cfg", &bench.read("buildout.cfg").replace("ends = badly", "ends = well"));
    assert_eq!(
        bench.succeed(""),
        "Installing a.\nwhy\nUpdating b.\nInstalling c.\nSection `c` contains unused option(s): 'data'.\n\
         This may be an indication for either a typo in the option's name or a bug in the used recipe.\n"
    );
    assert_eq!(recorded(&bench), "a b c");
}

#[test]
fn parts_before_the_failed_one_are_completed_and_none_after_it_is_begun() {
    let bench = bench(&[
        ("a", "awaits = d-failed"),
        ("b", "recipe = test:in-order"),
        ("c", "data = ${a:recipe}"),
        ("d", "starts = d-began\nends = badly"),
        ("e", "data = ${d:recipe}"),
        ("f", "recipe = test:in-order"),
    ]);
    // The last one refers to one that is done only when the other has failed.
    let profile = bench.read("buildout.cfg").replace("b c d", "b c d g")
        + "[g]\nrecipe = test:beside\nx = ${a:recipe}\n";
    bench.write("buildout.cfg", &profile);

    let done = bench.run("");

    assert_eq!(done.result.unwrap_err().activities(), ["Installing d."]);
    assert_eq!(recorded(&bench), "a b c");
    assert!(["a", "b", "c"].iter().all(|part| exists(bench.path(part))));
    assert!(["d", "e", "f", "g"].iter().all(|part| !exists(bench.path(part))));

    let again = bench.run("");

    let begun = "Updating a.\nUpdating b.\nUpdating c.\nInstalling d.\n";
    // Others may be at work already when it fails.
    assert!(without_warnings(&again.log).starts_with(begun), "{}", again.log);
}

#[test]
fn a_failure_before_the_first_one_is_the_one_that_is_told() {
    let bench = bench(&[
        ("a", "awaits = c-failed"),
        ("b", "data = ${a:recipe}\nends = badly"),
        ("c", "ends = badly"),
    ]);

    let done = bench.run("");

    assert_eq!(done.result.unwrap_err().activities(), ["Installing b."]);
    assert!(done.log.contains("Part c failed, too: the part fails\n"), "{}", done.log);
    assert_eq!(recorded(&bench), "a");
}

#[test]
fn of_two_failures_the_first_in_order_is_told_and_the_other_mentioned() {
    let bench = bench(&[
        ("a", "starts = a-began\nawaits = b-began\nends = badly"),
        ("b", "starts = b-began\nawaits = a-began\nends = badly"),
    ]);

    let done = bench.run("");

    assert_eq!(done.result.unwrap_err().activities(), ["Installing a."]);
    assert!(done.log.ends_with("Part b failed, too: the part fails\n"), "{}", done.log);
}

#[test]
fn a_panic_of_a_recipe_loses_nothing_of_the_record() {
    for recipe in ["test:beside", "test:in-order"] {
        let own = format!("recipe = {recipe}\nends = by panic\nawaits = a-done");
        let bench = bench(&[("a", "ends-with = a-done"), ("b", &own)]);

        let error = bench.run("").result.unwrap_err();

        assert_eq!(error.code(), "E-recipe-panic");
        assert_eq!(recorded(&bench), "a");
        assert!(!exists(bench.path("b")));
    }
}

#[test]
fn a_number_of_jobs_that_is_none_is_refused_before_anything_is_begun() {
    let bench = bench(&[("a", ""), ("b", "")]);

    assert!(
        bench.fail("buildout:jobs=many").contains("`many` is no value for the option jobs of [buildout]")
    );
    assert!(!exists(bench.path("a")));
    for words in ["-j", "-j0", "-jx"] {
        let error = CommandLine::parse([words]).unwrap_err();
        assert_eq!(error.to_string(), format!("No number of jobs specified for option {words}"));
    }
}

#[test]
fn a_part_beside_others_names_the_line_of_a_pin_that_is_wrong() {
    let bench =
        bench(&[("a", "starts = a-began\nawaits = b-began"), ("b", "starts = b-began\nawaits = a-began")]);
    let profile = bench.read("buildout.cfg").replace("[b]", "[b]\neggs = demo>=2");
    bench.write("buildout.cfg", &(profile + "[versions]\ndemo = 1\n"));

    let message = bench.fail("-o");

    assert!(message.contains("[versions] sets demo = 1 (/dir/buildout.cfg:14)"), "{message}");
}
