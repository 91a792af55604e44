//! Where in the profiles an error comes from.

use std::ops::Range;
use std::sync::Arc;

use shacache::Checksum;

use crate::download::DownloadError;
use crate::engine::Engine;
use crate::sources::{Source, SourceId};
use crate::table::{Origin, Table};
use crate::{BuildError, Excerpt, Fault, Reference, SubstitutionProblem};

/// Of many wrong lines so many are shown.
const MOST_LINES: usize = 5;

/// The lines that an error is about, the most telling first.
pub(super) fn excerpts(engine: &Engine, error: &BuildError) -> Vec<Excerpt> {
    let shown = match error.fault() {
        Fault::Recipe { error, .. } => error.shown().cloned(),
        _ => None,
    };
    shown.into_iter().chain(in_profiles(engine, error)).collect()
}

/// Those of the profiles.
fn in_profiles(engine: &Engine, error: &BuildError) -> Vec<Excerpt> {
    let at_option = |section: &str, option: &str, label: &str| {
        let (source, range) = whole_option(engine, section, option)?;
        Some(excerpt(source, range, label))
    };
    let found = match error.fault() {
        Fault::Syntax(error) => {
            let place = |number: &u32| Excerpt {
                file: error.file.clone(),
                text: Arc::clone(&error.text),
                range: line_range(&error.text, *number),
                label: String::new(),
            };
            return error.lines.iter().take(MOST_LINES).map(place).collect();
        }
        Fault::ExtendedBy { name } => engine.sources.by_name(name).and_then(|source| {
            let range = find_word(&source.text, 0..source.text.len(), "extended-by")?;
            Some(excerpt(source, range, "not supported any more"))
        }),
        Fault::Exception { option, .. } => at_option("buildout", option, ""),
        Fault::Extends { chain, word, .. } | Fault::RecursiveInclude { chain, word, .. } => {
            chain.last().and_then(|file| {
                let source = engine.sources.by_name(file)?;
                let start = source.text.find("extends")?;
                let range = find_word(&source.text, start..source.text.len(), word)?;
                Some(excerpt(source, range, "extended here"))
            })
        }
        Fault::Condition { file, line, .. } => engine
            .sources
            .by_name(file)
            .map(|source| excerpt(source, line_range(&source.text, *line), "decided here")),
        Fault::UnknownOption { section, reference, has, .. } => {
            at_reference(engine, reference, &format!("[{section}] has: {}", some_of(has)))
        }
        Fault::UnknownSection { reference: Some(reference), section, .. } => {
            at_reference(engine, reference, &format!("there is no [{section}]"))
        }
        Fault::UnknownSection { section, .. } => find_in_option(engine, "buildout", "parts", section)
            .or_else(|| find_at_work(engine, error, section))
            .map(|(source, range)| excerpt(source, range, &format!("there is no [{section}]"))),
        Fault::Substitution { reference, problem } => {
            at_reference(engine, reference, problem_label(*problem))
        }
        Fault::Circular { reference, .. } => at_reference(engine, reference, "the circle closes here"),
        Fault::MissingOption { section, option, near } if !near.is_empty() => {
            at_option(section, &near[0], &format!("is this `{option}`?"))
        }
        Fault::MissingOption { section, option, .. } => {
            let header = engine.table.sections.get(section).and_then(|section| section.headers.first());
            header.map(|(source, line)| {
                let source = engine.sources.get(*source);
                excerpt(source, line_range(&source.text, *line), &format!("has no option `{option}`"))
            })
        }
        Fault::UnknownMacro { section, parent, .. } => find_in_option(engine, section, "<", parent)
            .map(|(source, range)| excerpt(source, range, "there is no such section")),
        Fault::MacroLoop { section } => at_option(section, "<", ""),
        Fault::TooLong { section, option, .. } | Fault::TooMuch { section, option, .. } => {
            at_option(section, option, "this option")
        }
        Fault::InvalidValue { option, expected, .. } => {
            at_option("buildout", option, &format!("{expected} is expected"))
        }
        Fault::RelativeInRemote { option, .. } => at_option("buildout", option, ""),
        Fault::UnknownRecipe { section, .. } => at_option(section, "recipe", "no such recipe"),
        Fault::Recipe { section, error } => match error.blamed_option() {
            Some(option) => at_option(section, option, ""),
            None => at_option(section, "recipe", "this part"),
        },
        Fault::Download(failure) => error.section().and_then(|section| of_download(engine, section, failure)),
        _ => None,
    };
    found.into_iter().collect()
}

/// Of a section whose download failed: the checksum that is wrong, the address, or that there is such a part.
fn of_download(engine: &Engine, section: &str, failure: &DownloadError) -> Option<Excerpt> {
    let at_option = |option: &str, label: &str| {
        let (source, range) = whole_option(engine, section, option)?;
        Some(excerpt(source, range, label))
    };
    let found = match failure {
        DownloadError::Checksum(mismatch) => checksum_line(engine, section, &mismatch.expected)
            .map(|(source, range)| excerpt(source, range, "")),
        _ => at_option("url", ""),
    };
    found.or_else(|| at_option("recipe", "this part"))
}

fn problem_label(problem: SubstitutionProblem) -> &'static str {
    match problem {
        SubstitutionProblem::NoColon => {
            "a colon is missing: ${section:option}, or ${:option} for this section"
        }
        SubstitutionProblem::TooManyColons => "there is more than one colon",
        SubstitutionProblem::SectionName => "no section has such a name",
        SubstitutionProblem::OptionName => "no option has such a name",
    }
}

/// A list of names, not too long for a line.
fn some_of(names: &[String]) -> String {
    const MOST: usize = 8;
    match names.len() {
        0 => "no options".to_owned(),
        count if count <= MOST => names.join(", "),
        count => format!("{} and {} more", names[..MOST].join(", "), count - MOST),
    }
}

fn excerpt(source: &Source, range: Range<usize>, label: &str) -> Excerpt {
    Excerpt { file: source.name.clone(), text: Arc::clone(&source.text), range, label: label.to_owned() }
}

fn at_reference(engine: &Engine, reference: &Reference, label: &str) -> Option<Excerpt> {
    let (source, range) = find_in_option(engine, &reference.section, &reference.option, &reference.text)?;
    Some(excerpt(source, range, label))
}

/// Where the value of an option has a text.
fn find_in_option<'e>(
    engine: &'e Engine,
    section: &str,
    option: &str,
    text: &str,
) -> Option<(&'e Source, Range<usize>)> {
    for (source, line) in places(&engine.table, section, option, 0) {
        let source = engine.sources.get(source);
        let extent = option_extent(&source.text, line);
        // A name within another one is not meant.
        if let Some(range) = find_word(&source.text, extent.clone(), text)
            && whole_word(&source.text[extent], text).is_some()
        {
            return Some((source, range));
        }
    }
    None
}

/// The option that names a section among those of the sections that were at work, such as one that a recipe reads.
fn find_at_work<'e>(
    engine: &'e Engine,
    error: &BuildError,
    name: &str,
) -> Option<(&'e Source, Range<usize>)> {
    error.sections_at_work().into_iter().find_map(|section| {
        let mut options = engine.table.sections.get(section)?.options.keys();
        options.find_map(|option| find_in_option(engine, section, option, name))
    })
}

/// The line of a section that has a checksum; none when it is not from a profile.
fn checksum_line<'e>(
    engine: &'e Engine,
    section: &str,
    expected: &Checksum,
) -> Option<(&'e Source, Range<usize>)> {
    let digits = expected.digits.as_str();
    let options = engine.table.resolve(section).ok()?;
    let mut with_it =
        options.iter().filter(|(_, text)| text.contains(digits)).map(|(option, _)| option).peekable();
    if with_it.peek().is_none() {
        // It may be in another section.
        return whole_option(engine, section, &format!("{}sum", expected.algorithm));
    }
    let (source, range) = with_it.find_map(|option| find_in_option(engine, section, option, digits))?;
    let number = source.text[..range.start].matches('\n').count() + 1;
    Some((source, line_range(&source.text, u32::try_from(number).ok()?)))
}

/// The first line of an option.
fn whole_option<'e>(engine: &'e Engine, section: &str, option: &str) -> Option<(&'e Source, Range<usize>)> {
    let (source, line) = places(&engine.table, section, option, 0).into_iter().next()?;
    let source = engine.sources.get(source);
    Some((source, line_range(&source.text, line)))
}

/// The places that assign an option, the last first; where the section itself does not, those of its macros.
pub(super) fn places(table: &Table, section: &str, option: &str, depth: usize) -> Vec<(SourceId, u32)> {
    let own = table.history(section, option).map(|history| &history.0[..]).unwrap_or_default();
    let mut places: Vec<(SourceId, u32)> = own
        .iter()
        .rev()
        .filter_map(|step| match step.origin {
            Origin::Profile { source, line } => Some((source, line)),
            _ => None,
        })
        .collect();
    if depth < 20 && option != "<" {
        let parents = table.plain(section, "<").unwrap_or_default();
        for parent in parents.lines().rev().map(str::trim) {
            places.extend(self::places(table, parent, option, depth + 1));
        }
    }
    places
}

/// From the line of an option to the last line that continues it.
fn option_extent(text: &str, line: u32) -> Range<usize> {
    let start = line_range(text, line).start;
    let mut end = start;
    for (position, line) in text[start..].split_inclusive('\n').enumerate() {
        let continues = position == 0 || line.starts_with([' ', '\t', '\n', '\r', '#', ';']);
        if !continues {
            break;
        }
        end += line.len();
    }
    start..end
}

/// Where a text stands, as a word of its own if it can.
fn find_word(text: &str, extent: Range<usize>, word: &str) -> Option<Range<usize>> {
    if word.is_empty() {
        return None;
    }
    let slice = &text[extent.clone()];
    let start = extent.start + whole_word(slice, word).or_else(|| slice.find(word))?;
    Some(start..start + word.len())
}

/// Where a word begins that is no part of a longer name.
fn whole_word(text: &str, word: &str) -> Option<usize> {
    let is_part = |letter: Option<char>| {
        letter.is_some_and(|letter| letter.is_alphanumeric() || "-_.".contains(letter))
    };
    let mut hits = text.match_indices(word).map(|(position, _)| position);
    hits.find(|position| {
        !is_part(text[..*position].chars().next_back())
            && !is_part(text[position + word.len()..].chars().next())
    })
}

/// The bytes of a line, from 1, without its end and without blanks around it.
pub(crate) fn line_range(text: &str, number: u32) -> Range<usize> {
    let mut start = 0;
    for (position, line) in (1..).zip(text.split_inclusive('\n')) {
        if position == number {
            let blanks = line.len() - line.trim_start().len();
            let end = start + line.trim_end().len();
            return (start + blanks).min(end)..end;
        }
        start += line.len();
    }
    text.len()..text.len()
}
