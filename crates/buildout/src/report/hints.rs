//! What to do next, and facts that say why.

use std::io::ErrorKind;

use shacache::TransferError;

use crate::download::{DownloadError, Mismatch, Place};
use crate::nearest::nearest;
use crate::syntax::{SyntaxError, SyntaxErrorKind};
use crate::{BuildError, Fault};

/// Of a long chain of options, so many are named, and the last one.
const MOST_OPTIONS: usize = 8;

const LATE_LOCATION: &str = "recipes set `location` after the options of their own section are expanded: write the path, \
    such as ${buildout:parts-directory}/${:_buildout_section_name_}; in parts of slapos.recipe.cmmi @@LOCATION@@ stands \
    for it";

/// Edits and commands that may mend it, the best first.
pub(super) fn hints(error: &BuildError) -> Vec<String> {
    match error.fault() {
        Fault::NoProfile { near, .. } if !near.is_empty() => did_you_mean(near, |name| format!("-c {name}")),
        Fault::NoProfile { .. } => {
            vec!["name the profile with -c, or write a first one with `buildout init`".to_owned()]
        }
        Fault::ProfileExists { .. } => vec!["use `buildout bootstrap` where a profile is".to_owned()],
        Fault::Syntax(error) => vec![syntax_hint(error)],
        Fault::Extends { near, .. } if !near.is_empty() => did_you_mean(near, ToOwned::to_owned),
        Fault::Extends { word, source, .. } => {
            let hint = match source.downcast_ref::<std::io::Error>().map(std::io::Error::kind) {
                Some(ErrorKind::InvalidData) => "save it as UTF-8",
                Some(ErrorKind::FileTooLarge) => "check that it is the file you mean; no profile is so large",
                _ if word.is_empty() => "check the address of the profile",
                _ if word.contains("://") => "open the address in a browser, and correct it",
                _ => "paths in `extends` start from the directory of the profile that has it",
            };
            let of_download = source.downcast_ref().and_then(extends_hint);
            vec![of_download.unwrap_or_else(|| hint.to_owned())]
        }
        Fault::RecursiveInclude { chain, .. } => {
            vec![format!("remove one of the `extends` on the way: {}", chain.join(" → "))]
        }
        Fault::ExtendedBy { .. } => vec!["let the other profile extend this one with `extends`".to_owned()],
        Fault::Condition { .. } => {
            vec![
                "conditions know python3, linux, sys.version_info, platform.machine() and the like"
                    .to_owned(),
            ]
        }
        Fault::UnknownSection { near, .. } | Fault::UnknownMacro { near, .. } => {
            did_you_mean(near, |name| format!("[{name}]"))
        }
        Fault::UnknownOption { section, option, reference, .. }
            if option == "location" && *section == reference.section =>
        {
            vec![LATE_LOCATION.to_owned()]
        }
        Fault::UnknownOption { section, option, has, circle, .. } => {
            if !circle.is_empty() {
                return vec![of_circle(section, option, circle)];
            }
            let near = nearest(option, has.iter().map(String::as_str));
            did_you_mean(&near, |name| format!("${{{section}:{name}}}"))
        }
        Fault::MissingOption { near, section, option } => {
            let mut hints = did_you_mean(near, |name| format!("`{option}` instead of `{name}`"));
            hints.push(format!("add `{option} = …` to [{section}]"));
            hints
        }
        Fault::Circular { .. } => vec!["give one of these options a value of its own".to_owned()],
        Fault::UnknownRecipe { near, python_asked, .. } => {
            let mut hints = did_you_mean(near, ToOwned::to_owned);
            if !python_asked {
                hints.push("recipes written in Python are not available in this build".to_owned());
            }
            hints
        }
        Fault::Recipe { error, .. } => error.hints().to_vec(),
        Fault::Download(error) => download_hints(error),
        Fault::Python(error) => vec![error.hint()],
        Fault::Locked { pid: Some(pid), .. } => vec![format!("wait until it ends, or end it: kill {pid}")],
        Fault::Locked { .. } => vec!["wait until it ends, or end it".to_owned()],
        Fault::Record { path, .. } => {
            vec![format!("remove {path}: the next build then builds every part again")]
        }
        Fault::File { source, .. } => vec![file_hint(source.kind()).to_owned()],
        Fault::Exception { hint, .. } => vec![(*hint).to_owned()],
        Fault::Refused { hint, .. } => hint.iter().cloned().collect(),
        Fault::Usage(_) => vec!["`buildout --help` shows the options and commands".to_owned()],
        Fault::Substitution { .. } => vec!["write $${ where the text itself is meant".to_owned()],
        Fault::TooDeep { .. } => vec!["look for options that refer to one another without end".to_owned()],
        Fault::TooLong { .. } | Fault::TooMuch { .. } => {
            vec!["look for references and macros that repeat a long option many times".to_owned()]
        }
        Fault::MacroLoop { .. } => vec!["remove one of the `<` options on the way around".to_owned()],
        Fault::InvalidValue { expected, .. } => vec![format!("write {expected}")],
        Fault::RelativeInRemote { .. } => {
            vec!["write an absolute path, or set it on the command line".to_owned()]
        }
    }
}

fn syntax_hint(error: &SyntaxError) -> String {
    let line = error.lines.first().map_or("", |number| error.line(*number)).trim();
    match error.kind {
        SyntaxErrorKind::NoSection => "begin the profile with `[buildout]`".to_owned(),
        SyntaxErrorKind::Unknown if line.starts_with('[') && !line.contains(']') => {
            "close the name of the section with `]`".to_owned()
        }
        SyntaxErrorKind::Unknown if line.contains(':') && !line.contains('=') => {
            "options are written `name = value`".to_owned()
        }
        SyntaxErrorKind::Unknown => {
            format!("a value that goes on must be indented: put at least one blank before “{line}”")
        }
    }
}

fn file_hint(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            "make room on the file system, then run the same command again: it goes on"
        }
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            "run as a user who may write there, or choose another directory"
        }
        ErrorKind::InvalidFilename => {
            "choose a shorter path: a name has at most 255 letters, a path 4095, the first line of a script 127"
        }
        _ => "check the path, then run the same command again: it goes on where it stopped",
    }
}

/// What to do when a section is referred to by what its own initialisation waits for.
fn of_circle(section: &str, option: &str, circle: &[String]) -> String {
    let between: Vec<String> = circle.iter().skip(1).map(|name| format!("[{name}]")).collect();
    format!(
        "if `{option}` is what the recipe of [{section}] sets: [{section}] is not ready before {} are, and these refer \
         to it: change one of the references",
        between.join(", ")
    )
}

fn did_you_mean(near: &[String], show: impl Fn(&String) -> String) -> Vec<String> {
    if near.is_empty() {
        return Vec::new();
    }
    let names: Vec<String> = near.iter().map(show).collect();
    vec![format!("did you mean {}?", names.join(" or "))]
}

fn download_hints(error: &DownloadError) -> Vec<String> {
    match error {
        DownloadError::Offline { .. } => {
            vec!["run without -o, or with a download cache that has it".to_owned()]
        }
        DownloadError::Checksum(mismatch) => match &mismatch.place {
            Place::Cache(path) => vec![format!("remove {path} from the cache; it is then fetched again")],
            Place::Local(_) => vec![format!(
                "if the file was changed on purpose, write {} in the place of {}; else put back the one that was meant",
                mismatch.actual.digits, mismatch.expected.digits
            )],
            Place::Network => vec![
                "the address probably moved; open it in a browser and correct `url`".to_owned(),
                format!(
                    "if the file changed on purpose, write {} in the place of {}",
                    mismatch.actual.digits, mismatch.expected.digits
                ),
            ],
        },
        DownloadError::Status { .. } => vec!["check the address in the profile".to_owned()],
        DownloadError::Network { source, .. }
            if let Some(hint) = source.downcast_ref().and_then(TransferError::hint) =>
        {
            vec![hint.to_owned()]
        }
        DownloadError::Network { .. } => {
            vec!["check the network, then run the same command again: it goes on where it stopped".to_owned()]
        }
        DownloadError::TooLarge { .. } => vec!["check that it is the file you mean".to_owned()],
        DownloadError::Address { .. } => {
            vec!["addresses start with https://, http://, ftp:// or file://".to_owned()]
        }
        DownloadError::File { source, .. } => vec![file_hint(source.kind()).to_owned()],
    }
}

/// What to do about a profile that could not be fetched; none when its address is the first thing to look at.
fn extends_hint(error: &DownloadError) -> Option<String> {
    match error {
        DownloadError::Offline { .. } => {
            Some("run without -o, or with an extends cache that has it".to_owned())
        }
        DownloadError::Checksum(mismatch) => Some(format!(
            "if the profile changed on purpose, write `#{}` behind its address",
            mismatch.actual
        )),
        DownloadError::Status { .. } => None,
        error => download_hints(error).pop(),
    }
}

fn mismatch_facts(mismatch: &Mismatch) -> Vec<String> {
    let Mismatch { url, expected, actual, content_type, size, .. } = mismatch;
    let mut facts = vec![format!(
        "{} of {url} is {}, the profile says {}",
        expected.algorithm, actual.digits, expected.digits
    )];
    if let Some(content_type) = content_type {
        facts.push(format!("the server sent {content_type}, {size} bytes"));
    }
    facts
}

/// Facts that the headline leaves out.
pub(super) fn facts(error: &BuildError) -> Vec<String> {
    let mut facts = facts_of_fault(error);
    facts.extend(way(error));
    facts
}

/// What was being expanded, when the lines shown do not tell it all.
fn way(error: &BuildError) -> Option<String> {
    let options = error.expanding();
    if matches!(error.fault(), Fault::Circular { .. }) || options.len() < 2 {
        return None;
    }
    let name = |(section, option): &(String, String)| format!("${{{section}:{option}}}");
    let (first, last) = (&options[..options.len().min(MOST_OPTIONS)], options.last().map(name)?);
    let mut names: Vec<String> = first.iter().map(name).collect();
    if options.len() > MOST_OPTIONS {
        names.push(format!("({} more)", options.len() - MOST_OPTIONS - 1));
        names.push(last);
    }
    Some(format!("while expanding {}", names.join(" → ")))
}

fn facts_of_fault(error: &BuildError) -> Vec<String> {
    match error.fault() {
        Fault::Extends { chain, source, .. } => {
            let mut facts = match source.downcast_ref() {
                Some(DownloadError::Checksum(mismatch)) => mismatch_facts(mismatch),
                _ => Vec::new(),
            };
            if chain.len() > 1 {
                facts.push(format!("the way there: {}", chain.join(" → ")));
            }
            facts
        }
        Fault::RecursiveInclude { name, chain, .. } => {
            vec![format!("the way: {} → {name}", chain.join(" → "))]
        }
        Fault::Circular { chain, .. } => {
            let chain: Vec<String> =
                chain.iter().map(|(section, option)| format!("${{{section}:{option}}}")).collect();
            vec![format!("the way: {}", chain.join(" → "))]
        }
        Fault::Locked { pid: Some(pid), .. } => vec![format!("the process {pid} holds it")],
        Fault::Download(DownloadError::Checksum(mismatch)) => mismatch_facts(mismatch),
        _ => Vec::new(),
    }
}
