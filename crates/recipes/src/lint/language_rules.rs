//! Rules for every profile: what the language and the recipes do not know.

use std::collections::{HashMap, HashSet};

use buildout::nearest;

use super::Finding;
use super::profile::Profile;
use crate::REGISTRY;

/// Recipes of Python distributions that profiles of SlapOS use.
const PYTHON_RECIPES: &[&str] = &[
    "collective.recipe.cmd",
    "collective.recipe.environment",
    "collective.recipe.grp",
    "collective.recipe.patch",
    "collective.recipe.shelloutput",
    "collective.recipe.template",
    "rubygemsrecipe",
    "slapos.cookbook:addresiliency",
    "slapos.cookbook:apacheperl",
    "slapos.cookbook:apachephp",
    "slapos.cookbook:apacheproxy",
    "slapos.cookbook:cdninstancenode",
    "slapos.cookbook:cdninstancenode-script",
    "slapos.cookbook:certificate_authority",
    "slapos.cookbook:certificate_authority.request",
    "slapos.cookbook:check_page_content",
    "slapos.cookbook:check_parameter",
    "slapos.cookbook:check_port_listening",
    "slapos.cookbook:check_url_available",
    "slapos.cookbook:cloud9",
    "slapos.cookbook:cloudooo.test",
    "slapos.cookbook:copyfilelist",
    "slapos.cookbook:cron",
    "slapos.cookbook:cron.d",
    "slapos.cookbook:dropbear",
    "slapos.cookbook:dropbear.add_authorized_key",
    "slapos.cookbook:dropbear.client",
    "slapos.cookbook:equeue",
    "slapos.cookbook:erp5.promise",
    "slapos.cookbook:erp5testnode",
    "slapos.cookbook:free_port",
    "slapos.cookbook:generate.mac",
    "slapos.cookbook:generate.password",
    "slapos.cookbook:generic.cloudooo",
    "slapos.cookbook:generic.kumofs",
    "slapos.cookbook:generic.memcached",
    "slapos.cookbook:generic.mysql.wrap_update_mysql",
    "slapos.cookbook:gitinit",
    "slapos.cookbook:instancenode",
    "slapos.cookbook:ipv4toipv6",
    "slapos.cookbook:ipv6toipv4",
    "slapos.cookbook:jsondump",
    "slapos.cookbook:logrotate",
    "slapos.cookbook:logrotate.d",
    "slapos.cookbook:mkdirectory",
    "slapos.cookbook:nbdserver",
    "slapos.cookbook:neoppod.admin",
    "slapos.cookbook:neoppod.cluster",
    "slapos.cookbook:neoppod.master",
    "slapos.cookbook:neoppod.storage",
    "slapos.cookbook:notifier",
    "slapos.cookbook:notifier.callback",
    "slapos.cookbook:notifier.notify",
    "slapos.cookbook:onetimeupload",
    "slapos.cookbook:pbs",
    "slapos.cookbook:postgres",
    "slapos.cookbook:proactive",
    "slapos.cookbook:publish",
    "slapos.cookbook:publish-early",
    "slapos.cookbook:publish.serialised",
    "slapos.cookbook:publish.serialised_failsafe",
    "slapos.cookbook:publish_failsafe",
    "slapos.cookbook:publishurl",
    "slapos.cookbook:random.integer",
    "slapos.cookbook:random.time",
    "slapos.cookbook:re6stnet.registry",
    "slapos.cookbook:readline",
    "slapos.cookbook:redis.server",
    "slapos.cookbook:request",
    "slapos.cookbook:request.edge",
    "slapos.cookbook:request.serialised",
    "slapos.cookbook:requestoptional",
    "slapos.cookbook:shell",
    "slapos.cookbook:simplehttpserver",
    "slapos.cookbook:simplelogger",
    "slapos.cookbook:slapconfiguration",
    "slapos.cookbook:slapconfiguration.jsondump",
    "slapos.cookbook:slapconfiguration.jsonschema",
    "slapos.cookbook:slapconfiguration.jsonschema.localdb",
    "slapos.cookbook:slapconfiguration.serialised",
    "slapos.cookbook:squid",
    "slapos.cookbook:sshkeys_authority",
    "slapos.cookbook:sshkeys_authority.request",
    "slapos.cookbook:switch-softwaretype",
    "slapos.cookbook:switch-softwaretype.noop",
    "slapos.cookbook:symbolic.link",
    "slapos.cookbook:tidstorage",
    "slapos.cookbook:trac",
    "slapos.cookbook:urlparse",
    "slapos.cookbook:userinfo",
    "slapos.cookbook:uuid",
    "slapos.cookbook:wrapper",
    "slapos.cookbook:zabbixagent",
    "slapos.cookbook:zero-knowledge.read",
    "slapos.cookbook:zero-knowledge.write",
    "slapos.recipe.build",
    "slapos.recipe.build:gitclone",
    "slapos.recipe.build:npm",
    "slapos.recipe.cmmi",
    "slapos.recipe.downloadunpacked",
    "slapos.toolbox",
    "zc.recipe.egg:custom",
    "zc.recipe.egg:develop",
    "zc.recipe.testrunner",
];

/// A word of `extends` that names no file.
pub(super) fn missing_profile(profile: &Profile) -> Vec<Finding> {
    let extends = profile.section("buildout").and_then(|buildout| buildout.option("extends"));
    let missing = profile.missing.iter().filter(|_| !profile.is_decided_by_template);
    let finding = |word: &String| {
        let (line, column) = profile.place(extends.map_or(0, |extends| extends.line), word);
        Finding {
            line,
            column,
            code: "L-no-such-profile",
            is_error: true,
            message: format!("`{word}` in `extends` does not exist"),
            hint: "correct the path; it starts from the directory of this file".to_owned(),
        }
    };
    missing.map(finding).collect()
}

/// An option that one file sets twice in one section: the first value is lost.
pub(super) fn set_twice(profile: &Profile) -> Vec<Finding> {
    if profile.is_decided_by_template {
        return Vec::new();
    }
    let mut findings = Vec::new();
    let mut seen: HashMap<(&str, &str), (u32, &str)> = HashMap::new();
    let mut header = "";
    for (number, line) in (1_u32..).zip(profile.text.lines()) {
        if line.starts_with('[') {
            header = line.split(']').next().unwrap_or(line);
            continue;
        }
        if line.starts_with([' ', '\t', '#', ';', '<', '{']) {
            continue;
        }
        let Some((name, value)) = line.split_once('=') else { continue };
        if name.ends_with(['+', '-']) {
            continue;
        }
        let (name, value) = (name.trim_end(), value.trim());
        if let Some((first, before)) = seen.insert((header, name), (number, value))
            && (before != value || value.is_empty())
        {
            findings.push(Finding {
                line: number,
                column: 1,
                code: "L-set-twice",
                is_error: false,
                message: format!("`{name}` is set in line {first} already, and that value is lost"),
                hint: "remove one of the two lines, or write `+=` to add to the first".to_owned(),
            });
        }
    }
    findings
}

/// An option of `[buildout]` that nobody reads and that looks like one that somebody does.
pub(super) fn misspelt_buildout_option(profile: &Profile) -> Vec<Finding> {
    let known = buildout::buildout_options();
    let Some(section) = profile.section("buildout") else { return Vec::new() };
    let unknown = section.own.iter().filter(|(name, _)| {
        !name.starts_with('_') && !known.contains(&name.as_str()) && !profile.refers_to(name)
    });
    unknown
        .filter_map(|(name, line)| {
            let near = nearest(name, known.iter().copied()).into_iter().next()?;
            Some(Finding {
                line: *line,
                column: 1,
                code: "L-buildout-option",
                is_error: true,
                message: format!("[buildout] has no option `{name}`"),
                hint: format!("did you mean `{near}`?"),
            })
        })
        .collect()
}

/// A recipe that nobody knows and that looks like one that somebody does.
pub(super) fn unknown_recipe(profile: &Profile) -> Vec<Finding> {
    let native = REGISTRY.iter().flat_map(|kind| kind.names().iter().copied());
    let known: Vec<&str> = native.chain(PYTHON_RECIPES.iter().copied()).collect();
    let mut findings = Vec::new();
    for section in profile.sections() {
        let Some(recipe) = section.option("recipe").filter(|recipe| recipe.is_own()) else { continue };
        let name = section.recipe();
        // Names that a template or a reference gives are not known here; paths are recipes of their own.
        if name.contains(['$', '{', '/']) || known.contains(&name) {
            continue;
        }
        let package = |recipe: &str| recipe.split(':').next().unwrap_or_default().to_owned();
        // The entry points of a distribution that we do not have are not known here.
        let is_other_entry = package(name) != "slapos.cookbook"
            && known.iter().any(|known| package(known) == package(name))
            && name.contains(':');
        let near = nearest(name, known.iter().copied()).into_iter().next();
        if let Some(near) = near.filter(|near| !is_other_entry || package(near) != package(name)) {
            let (line, column) = profile.place(recipe.line, name);
            findings.push(Finding {
                line,
                column,
                code: "L-unknown-recipe",
                is_error: true,
                message: format!("the recipe `{name}` of [{}] is not known", section.name),
                hint: format!("did you mean `{near}`?"),
            });
        }
    }
    findings
}

/// An option that the recipe does not read, and that no reference uses.
pub(super) fn unknown_option(profile: &Profile) -> Vec<Finding> {
    let mut findings = Vec::new();
    let given_whole = profile.given_whole();
    for section in profile.sections() {
        let recipe = section.recipe();
        let Some(kind) = REGISTRY.iter().find(|kind| kind.names().contains(&recipe)) else { continue };
        let documented: Vec<&str> = kind.options().iter().map(|option| option.name).collect();
        let is_known = |name: &str| {
            documented.iter().any(|known| match known.strip_suffix('*') {
                Some(start) => name.starts_with(start),
                None => *known == name,
            })
        };
        // Templates get at every option of their section; those who extend a library refer to what it offers.
        let holds_data = recipe.starts_with("slapos.recipe.template")
            || profile.is_in_library
            || given_whole.contains(section.name.as_str());
        let value_of = |name: &str| section.option(name).map_or("", |setting| setting.value.as_str());
        // Some recipes expand names of options when they run.
        let values = section.own.iter().map(|(name, _)| value_of(name));
        let expanded: HashSet<&str> = values
            .flat_map(|value| value.split("%(").skip(1))
            .filter_map(|rest| Some(rest.split_once(')')?.0))
            .collect();
        for (name, line) in &section.own {
            let value = value_of(name);
            let is_ours = name == "recipe" || name.starts_with(['_', '<', '-']) || name.contains(['{', '.']);
            // `depends = ${other:recipe}` and the like are there for their references.
            let is_dependency = value.contains("${");
            // Whoever made the section for others to extend knows who reads it, such as a template far away.
            let is_offered = section.option(name).is_some_and(|setting| setting.is_offered);
            // Eggs are patched by options that their names begin.
            let is_of_egg = recipe.starts_with("zc.recipe.egg") && name.contains("-patch");
            if is_ours
                || is_dependency
                || is_offered
                || is_of_egg
                || is_known(name)
                || profile.refers_to(name)
                || expanded.contains(name.as_str())
            {
                continue;
            }
            let hint = match nearest(name, documented.iter().copied()).as_slice() {
                [] if holds_data => continue,
                [] => "remove it, or refer to it".to_owned(),
                [near, ..] => format!("did you mean `{near}`?"),
            };
            findings.push(Finding {
                line: *line,
                column: 1,
                code: "L-unknown-option",
                is_error: false,
                message: format!("the recipe `{recipe}` of [{}] does not read `{name}`", section.name),
                hint,
            });
        }
    }
    findings
}
