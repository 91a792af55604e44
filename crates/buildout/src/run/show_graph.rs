//! `buildout graph`: the parts with what they refer to, or the profiles with what they extend.

use std::collections::{BTreeSet, HashMap};

use camino::Utf8Path;

use super::look::{Look, Words, show, show_document};
use super::team;
use crate::engine::Engine;
use crate::graph::{Graph, Node};
use crate::outline::outline;
use crate::profiles::Location;
use crate::{BuildError, Fault, Outcome, Settings};

pub(super) fn show_graph(
    engine: &mut Engine,
    settings: &mut Settings,
    words: &[String],
) -> Result<Outcome, BuildError> {
    let words = Words::parse(words, true)?;
    if !words.names.is_empty() {
        return Err(Fault::Usage(format!("graph takes no names: {}", words.names.join(" "))).into());
    }
    let graph = if words.profiles { profiles(engine) } else { parts(engine, settings)? };
    let format = words.format.as_deref().unwrap_or(if words.is_json { "json" } else { "dot" });
    Ok(match format {
        "json" => show_document(engine, &graph.json()),
        "svg" => show(engine, graph.svg()),
        _ => show(engine, graph.dot()),
    })
}

fn parts(engine: &mut Engine, settings: &mut Settings) -> Result<Graph, BuildError> {
    let look = Look::new(engine, settings, &[])?;
    let places: HashMap<&str, usize> =
        look.parts.keys().enumerate().map(|(place, part)| (part.as_str(), place)).collect();
    let mut graph = Graph::default();
    for (place, (part, options)) in look.parts.iter().enumerate() {
        let note = options.get("recipe").cloned().unwrap_or_default();
        graph.nodes.push(Node { name: part.clone(), note });
        graph.edges.extend(team::needs(engine, part, &places).into_iter().map(|need| (place, need)));
    }
    Ok(graph)
}

fn profiles(engine: &Engine) -> Graph {
    let sources: Vec<_> = engine.sources.iter().collect();
    // A profile may have been reached by a way with `..` in it.
    let places: HashMap<String, usize> = sources
        .iter()
        .enumerate()
        .map(|(place, source)| (Location::parse(&source.name).key(), place))
        .collect();
    let mut graph = Graph::default();
    for (place, source) in sources.iter().enumerate() {
        let path = Location::parse(&source.name).key();
        let path = Utf8Path::new(&path);
        let name = path.strip_prefix(engine.directory()).unwrap_or(path).to_string();
        graph.nodes.push(Node { name, note: String::new() });
        let base = Location::parse(&source.base);
        let extended = extended(&source.name, &source.text);
        let targets: BTreeSet<usize> = extended
            .iter()
            .filter_map(|word| places.get(base.join(word).key().as_str()).copied())
            .filter(|target| *target != place)
            .collect();
        graph.edges.extend(targets.into_iter().map(|target| (place, target)));
    }
    graph
}

/// The words of the options of a profile by which it extends others.
fn extended(file: &str, text: &str) -> Vec<String> {
    let sections = outline(file, text).unwrap_or_default();
    let options =
        sections.iter().filter(|section| section.name == "buildout").flat_map(|section| &section.options);
    options
        .filter(|option| matches!(option.name.as_str(), "extends" | "optional-extends"))
        .flat_map(|option| option.value.split_whitespace().map(str::to_owned))
        .collect()
}
