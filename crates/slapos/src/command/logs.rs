//! `slapos logs`: what services, builds and the cloud's own processes write.

use std::collections::BTreeMap;
use std::io::{Read, Seek, SeekFrom};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use host::clock::Clock;

use crate::cloud::Cloud;
use crate::command::status::{named, views};
use crate::command::{Example, Group, Habit, Subcommand};
use crate::context::Context;
use crate::failure::{Failure, Kind};

/// Show what services write; without a name, what master and agent write
#[derive(Debug, clap::Args)]
pub(crate) struct Logs {
    /// Title of a service
    name: Option<String>,
    /// Go on with what is written from here on
    #[arg(long, short = 'f')]
    follow: bool,
    /// How many of the last lines of each file
    #[arg(long, short = 'n', default_value_t = 20, value_name = "COUNT")]
    lines: usize,
    /// Directory of the cloud
    #[arg(long, value_name = "DIR")]
    root: Option<String>,
}

/// How much of the end of a file is looked at for its last lines.
const WINDOW: u64 = 256 * 1024;

impl Subcommand for Logs {
    const NAME: &'static str = "logs";
    const GROUP: Group = Group::FirstHour;
    const HABIT: Habit = Habit::Quiet;
    const EXAMPLES: &'static [Example] = &[
        ("slapos logs flask", "the last lines of its services, its build and its own files"),
        ("slapos logs flask --follow", "and whatever comes"),
        ("slapos logs", "master, agent and supervisor"),
    ];

    fn run(self, context: &Context<'_>) -> Result<u8, Failure> {
        let cloud = Cloud::chosen(context.environment, self.root.as_deref())?;
        cloud.enter()?;
        if !cloud.exists() {
            return Err(cloud.absent());
        }
        let directory = match &self.name {
            Some(name) => {
                let views = views(&cloud)?;
                Some(cloud.instance_root().join(named(&views, name)?.partition.id.as_str()))
            }
            None => None,
        };
        let mut files: BTreeMap<Utf8PathBuf, u64> = BTreeMap::new();
        loop {
            let is_first = files.is_empty();
            for path in logs(&cloud, directory.as_deref()) {
                let position = files.get(&path).copied();
                let shown = show(context, &path, position, if is_first { self.lines } else { usize::MAX })?;
                files.insert(path, shown);
            }
            if !self.follow {
                if files.is_empty() {
                    context.output.done("Nothing has been written yet.");
                }
                return Ok(0);
            }
            context.clock.sleep(Duration::from_millis(250));
        }
    }
}

/// The log files of a partition, or those of the cloud itself.
fn logs(cloud: &Cloud, partition: Option<&Utf8Path>) -> Vec<Utf8PathBuf> {
    let directories = match partition {
        Some(partition) => {
            vec![
                partition.to_owned(),
                partition.join(".slapgrid/log"),
                partition.join("var/log"),
                partition.join("log"),
            ]
        }
        None => vec![cloud.root().join("var/log"), cloud.instance_root().join("var/log")],
    };
    let mut files: Vec<Utf8PathBuf> = directories
        .iter()
        .filter_map(|directory| directory.read_dir_utf8().ok())
        .flatten()
        .filter_map(|entry| entry.ok())
        .filter(|entry| {
            entry.path().extension() == Some("log") && entry.file_type().is_ok_and(|kind| kind.is_file())
        })
        .map(camino::Utf8DirEntry::into_path)
        .collect();
    files.sort();
    files
}

/// Shows the end of a file, or what was written after `position`; returns where its end is.
fn show(context: &Context<'_>, path: &Utf8Path, position: Option<u64>, lines: usize) -> Result<u64, Failure> {
    let failed = |error: std::io::Error| {
        Failure::new(Kind::Failed, format!("cannot read the log {path}"))
            .because_of(&error)
            .code("E-log-file")
    };
    let mut file = fs_err::File::open(path).map_err(failed)?;
    let end = file.metadata().map_err(failed)?.len();
    // A file that became shorter was rotated: it is read anew.
    let start = match position {
        Some(position) if position <= end => position,
        Some(_) => 0,
        None => end.saturating_sub(WINDOW),
    };
    if start == end {
        return Ok(end);
    }
    file.seek(SeekFrom::Start(start)).map_err(failed)?;
    let mut content = Vec::new();
    file.by_ref().take(end - start).read_to_end(&mut content).map_err(failed)?;
    let text = String::from_utf8_lossy(&content);
    let found: Vec<&str> = text.lines().collect();
    let shown = &found[found.len().saturating_sub(lines)..];
    let name = path.file_name().unwrap_or_default().trim_start_matches('.').trim_end_matches(".log");
    if context.output.is_json() {
        for line in shown {
            context
                .output
                .answer(&serde_json::json!({ "log": name, "file": path, "line": line }).to_string());
        }
    } else {
        let text: String = shown.iter().map(|line| format!("{name}  {line}\n")).collect();
        context.output.answer(&text);
    }
    Ok(end)
}
