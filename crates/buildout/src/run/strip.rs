//! The extension `slapos.extension.strip`: what the parts compiled, without the symbols that only debuggers read.

use std::io::{Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::PermissionsExt;

use camino::{Utf8Path, Utf8PathBuf};
use host::process::Program;

use crate::engine::Engine;
use crate::{BuildError, Event};

/// So many files are given to one process.
const FILES_AT_ONCE: usize = 64;
const NOTES: [&str; 2] = ["--remove-section=.comment", "--remove-section=.note"];

/// Strips every program and library below the buildout directory. What the tool cannot do is told, and is no error.
pub(super) fn strip(engine: &mut Engine) -> Result<(), BuildError> {
    // Files are listed and looked at here; the options for that are known all the same.
    for option in ["file-binary", "find-binary"] {
        engine.read("buildout", option)?;
    }
    let tool = engine.buildout_option("strip-binary")?.unwrap_or_else(|| "strip".to_owned());
    let kept = engine.read("buildout", "do-not-strip-path")?.unwrap_or_default();
    say(engine, "Stripping binaries ...");
    let found = Binaries::below(engine.directory(), &kept);
    let with_notes = |last: &[&'static str]| [&NOTES[..], last].concat();
    let steps = [
        (&found.libraries, with_notes(&["--strip-unneeded"])),
        (&found.programs, with_notes(&[])),
        (&found.libraries, vec!["--strip-debug"]),
    ];
    for (paths, arguments) in steps {
        for paths in paths.chunks(FILES_AT_ONCE) {
            if let Err(message) = run(engine, &tool, &arguments, paths) {
                say(engine, &message);
                return Ok(());
            }
        }
    }
    say(engine, "Done.");
    Ok(())
}

fn say(engine: &Engine, line: &str) {
    engine.sink().event(Event::Text { text: format!("{line}\n") });
}

fn run(engine: &Engine, tool: &str, arguments: &[&str], paths: &[Utf8PathBuf]) -> Result<(), String> {
    let program = Program::new(tool)
        .envs(&engine.environment)
        .directory(engine.directory())
        .args(arguments.iter().copied())
        .args(paths.iter().map(|path| path.as_str()));
    let _writable: Vec<Writable<'_>> = paths.iter().filter_map(|path| Writable::make(path)).collect();
    let finished = program
        .run(None, &mut |line| say(engine, line))
        .map_err(|error| format!("Command failed: {tool}: {error}"))?;
    if finished.success() {
        return Ok(());
    }
    Err(format!("Command failed: {}: {}", finished.verdict(), program.command_line()))
}

/// A file that its owner may write for as long as this lives.
struct Writable<'p> {
    path: &'p Utf8Path,
    mode: u32,
}

impl<'p> Writable<'p> {
    /// None when the file is writable already.
    fn make(path: &'p Utf8Path) -> Option<Self> {
        const OWNER_WRITES: u32 = 0o200;
        let mode = path.metadata().ok()?.permissions().mode();
        if mode & OWNER_WRITES != 0 {
            return None;
        }
        fs_err::set_permissions(path, PermissionsExt::from_mode(mode | OWNER_WRITES)).ok()?;
        Some(Self { path, mode })
    }
}

impl Drop for Writable<'_> {
    fn drop(&mut self) {
        // The tool keeps modes; when that fails the file is merely writable.
        let _ = fs_err::set_permissions(self.path, PermissionsExt::from_mode(self.mode));
    }
}

/// What has symbols to lose.
#[derive(Debug, Default, PartialEq, Eq)]
struct Binaries {
    libraries: Vec<Utf8PathBuf>,
    programs: Vec<Utf8PathBuf>,
}

impl Binaries {
    /// Looks at every regular file below a directory but those listed, one in a line.
    fn below(directory: &Utf8Path, kept: &str) -> Self {
        let mut found = Self::default();
        let mut pending = vec![directory.to_owned()];
        while let Some(directory) = pending.pop() {
            // What cannot be read is not ours to change.
            let Ok(entries) = directory.read_dir_utf8() else { continue };
            for entry in entries.flatten() {
                let Ok(kind) = entry.file_type() else { continue };
                if kind.is_dir() {
                    pending.push(entry.into_path());
                } else if kind.is_file() && !kept.lines().any(|kept| entry.path() == kept) {
                    found.add(entry.into_path());
                }
            }
        }
        found.libraries.sort_unstable();
        found.programs.sort_unstable();
        found
    }

    fn add(&mut self, path: Utf8PathBuf) {
        let is_library = is_library_name(path.file_name().unwrap_or_default());
        let is_executable =
            || path.metadata().is_ok_and(|metadata| metadata.permissions().mode() & 0o100 != 0);
        if !is_library && !is_executable() {
            return;
        }
        match elf_with_symbols(&path) {
            Some(ElfKind::Shared) if is_library => self.libraries.push(path),
            Some(_) if !is_library => self.programs.push(path),
            _ => {}
        }
    }
}

/// `libx.so`, `libx.so.1.2`, `x.cmxs`
fn is_library_name(name: &str) -> bool {
    name.ends_with(".so") || name.ends_with(".cmxs") || name.contains(".so.")
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ElfKind {
    Program,
    Shared,
}

/// What an ELF file is that still has its symbol table; none for every other file.
fn elf_with_symbols(path: &Utf8Path) -> Option<ElfKind> {
    const SYMBOL_TABLE: u64 = 2;
    let mut file = fs_err::File::open(path).ok()?;
    let mut header = [0; 64];
    file.read_exact(&mut header).ok()?;
    if !header.starts_with(b"\x7fELF") {
        return None;
    }
    let layout = Layout { wide: header[4] == 2, big_endian: header[5] == 2 };
    let kind = match layout.number(&header, 16, 2)? {
        2 => ElfKind::Program,
        3 => ElfKind::Shared,
        _ => return None,
    };
    let (table, entry_size, count) = if layout.wide { ((40, 8), 58, 60) } else { ((32, 4), 46, 48) };
    let start = layout.number(&header, table.0, table.1)?;
    let entry_size = layout.number(&header, entry_size, 2)?;
    let count = layout.number(&header, count, 2)?;
    for index in 0..count {
        file.seek(SeekFrom::Start(start.checked_add(index * entry_size)?)).ok()?;
        let mut entry = [0; 8];
        file.read_exact(&mut entry).ok()?;
        if layout.number(&entry, 4, 4)? == SYMBOL_TABLE {
            return Some(kind);
        }
    }
    None
}

/// How an ELF file writes numbers.
struct Layout {
    wide: bool,
    big_endian: bool,
}

impl Layout {
    fn number(&self, bytes: &[u8], start: usize, length: usize) -> Option<u64> {
        let bytes = bytes.get(start..start + length)?;
        let add = |number: u64, byte: &u8| (number << 8) | u64::from(*byte);
        Some(if self.big_endian { bytes.iter().fold(0, add) } else { bytes.iter().rev().fold(0, add) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file of the 64-bit format with sections of these types.
    fn elf(kind: u8, sections: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0; 64];
        bytes[..6].copy_from_slice(b"\x7fELF\x02\x01");
        bytes[16] = kind;
        bytes[40] = 64;
        bytes[58] = 64;
        bytes[60] = u8::try_from(sections.len()).unwrap();
        for section in sections {
            let mut entry = [0; 64];
            entry[4] = *section;
            bytes.extend(entry);
        }
        bytes
    }

    fn write(path: &Utf8Path, content: &[u8], mode: u32) {
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, content).unwrap();
        fs_err::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
    }

    #[test]
    fn only_what_has_a_symbol_table_and_is_not_listed_is_stripped() {
        let guard = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(guard.path()).unwrap();
        let with_symbols = elf(3, &[0, 2]);
        write(&root.join("a/libx.so.1.2"), &with_symbols, 0o644);
        write(&root.join("a/liby.so"), &elf(3, &[0, 11]), 0o644);
        write(&root.join("bin/tool"), &elf(2, &[2]), 0o755);
        write(&root.join("bin/pie"), &with_symbols, 0o555);
        write(&root.join("bin/kept"), &with_symbols, 0o755);
        write(&root.join("bin/object"), &elf(1, &[2]), 0o755);
        write(&root.join("bin/script"), b"#!/bin/sh\n", 0o755);
        write(&root.join("data"), &with_symbols, 0o644);
        write(&root.join("bin/cut"), &with_symbols[..100], 0o755);

        let found = Binaries::below(root, root.join("bin/kept").as_str());

        assert_eq!(found.libraries, [root.join("a/libx.so.1.2")]);
        assert_eq!(found.programs, [root.join("bin/pie"), root.join("bin/tool")]);
    }
}
