//! Which parts a release needs, found by reading: those that `[buildout] parts` names and, from each, the sections
//! that its options refer to.

use std::collections::BTreeSet;

use buildout::{BuildError, Merged};
use camino::Utf8Path;
use indexmap::IndexMap;

type Options = IndexMap<String, String>;

/// Deeper references between values are not followed.
const DEEPEST: usize = 20;

/// Names of the sections that have a recipe and are needed.
pub(super) fn parts(merged: &Merged) -> Result<BTreeSet<String>, BuildError> {
    let Some(buildout) = merged.section("buildout")? else { return Ok(BTreeSet::new()) };
    let parts = expanded(merged, "buildout", buildout.get("parts").map_or("", String::as_str), DEEPEST)?;
    let mut waiting: Vec<String> = parts.split_whitespace().map(str::to_owned).collect();
    // Every build runs with its own Python.
    waiting.extend(buildout.get("python").cloned());
    let (mut seen, mut needed) = (BTreeSet::new(), BTreeSet::new());
    while let Some(name) = waiting.pop() {
        if name == "buildout" || !seen.insert(name.clone()) {
            continue;
        }
        let Some(options) = merged.section(&name)? else { continue };
        waiting.extend(mentioned(merged, &name, &options)?);
        if options.get("recipe").is_some_and(|recipe| !recipe.is_empty()) {
            needed.insert(name);
        }
    }
    Ok(needed)
}

/// The sections that a section leads to.
fn mentioned(merged: &Merged, name: &str, options: &Options) -> Result<Vec<String>, BuildError> {
    let mut found = Vec::new();
    for text in options.values() {
        found.extend(references(text).map(|(section, _)| section.to_owned()));
        found.extend(subscripts(text, "buildout["));
    }
    let is_chosen = options.values().any(|text| text.contains("buildout[options['part']]"));
    for option in ["python", "environment", "part"] {
        if option == "part" && !is_chosen {
            continue;
        }
        let Some(text) = options.get(option) else { continue };
        let value = expanded(merged, name, text, DEEPEST)?;
        // An environment is written out, or is the name of a section.
        if !value.contains('=') {
            found.push(value.trim().to_owned());
        }
    }
    for line in options.get("context").map_or("", String::as_str).lines() {
        match line.split_whitespace().collect::<Vec<_>>().as_slice() {
            ["section", _, section] => found.push((*section).to_owned()),
            ["key" | "jsonkey", _, key] => {
                found.extend(key.split_once(':').map(|(section, _)| section.to_owned()));
            }
            _ => {}
        }
    }
    let is_template = options.get("recipe").is_some_and(|recipe| {
        matches!(recipe.as_str(), "slapos.recipe.template" | "slapos.recipe.template:default")
    });
    if is_template && let Some(template) = options.get("url").or(options.get("inline")) {
        let template = expanded(merged, name, template, DEEPEST)?;
        let text = super::text_of(Utf8Path::new(&template)).unwrap_or_default();
        found.extend(references(&text).map(|(section, _)| section.to_owned()));
    }
    Ok(found.into_iter().filter(|section| !section.is_empty()).collect())
}

/// A text with what it refers to put in, as far as that is written in profiles.
fn expanded(merged: &Merged, section: &str, text: &str, depth: usize) -> Result<String, BuildError> {
    if depth == 0 || !text.contains("${") {
        return Ok(text.to_owned());
    }
    let mut result = text.to_owned();
    for (other, option) in references(text) {
        let owner = if other.is_empty() { section } else { other };
        let value = match merged.section(owner)? {
            Some(options) => options.get(option).cloned().unwrap_or_default(),
            None => continue,
        };
        let value = expanded(merged, owner, &value, depth - 1)?;
        result = result.replace(&format!("${{{other}:{option}}}"), &value);
    }
    Ok(result)
}

/// Every `${section:option}` of a text that is not protected by another `$`.
fn references(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.match_indices("${").filter_map(move |(start, _)| {
        let is_protected = text[..start].ends_with('$');
        let inside = text[start + 2..].split('}').next().filter(|_| !is_protected)?;
        inside.split_once(':')
    })
}

/// The literal names that code takes from a mapping: `buildout['name']`.
fn subscripts<'a>(text: &'a str, before: &'a str) -> impl Iterator<Item = String> + 'a {
    text.match_indices(before).filter_map(move |(start, _)| {
        let rest = &text[start + before.len()..];
        let quote = rest.chars().next().filter(|letter| matches!(letter, '\'' | '"'))?;
        rest[1..].split_once(quote).map(|(name, _)| name.to_owned())
    })
}
