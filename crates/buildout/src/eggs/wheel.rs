//! Turning a wheel into an egg directory: whole, or not at all.

use camino::{Utf8Path, Utf8PathBuf};
use host::files;
use pep508_rs::MarkerEnvironment;

use super::archive::{Archive, stays_inside, write};
use super::error::EggError;
use super::metadata::{Dependencies, Fields};
use super::name::{ProjectName, WheelName};
use super::record::Record;

/// The package file that lets several distributions share a namespace, for wheels that rely on it being generated.
const NAMESPACE_PACKAGE: &str = "__import__('pkg_resources').declare_namespace(__name__)\n";

/// A wheel that was opened and whose names were checked.
pub(super) struct Wheel {
    archive: Archive,
    information: String,
    data: String,
}

impl Wheel {
    /// Opens a wheel and checks that each of its names stays inside and that its format is known.
    ///
    /// # Errors
    /// It cannot be read, or is not a wheel that may be unpacked.
    pub(super) fn open(path: &Utf8Path) -> Result<Self, EggError> {
        let archive = Archive::open(path)?;
        let name = path.file_name().and_then(WheelName::parse);
        let name = name.ok_or_else(|| archive.damaged("its name is not a wheel's"))?;
        let project = ProjectName::new(&name.project);
        let is_information = |top: &&str| {
            top.strip_suffix(".dist-info")
                .and_then(|stem| stem.split('-').next())
                .is_some_and(|written| ProjectName::new(written) == project)
        };
        let mut tops = archive.names().map(|name| name.split('/').next().unwrap_or_default());
        let information = tops.find(is_information).map(str::to_owned);
        drop(tops);
        let information = information.ok_or_else(|| archive.damaged("it has no .dist-info directory"))?;
        let data = format!("{}.data", information.trim_end_matches(".dist-info"));
        let mut wheel = Self { archive, information, data };
        wheel.check_format()?;
        Ok(wheel)
    }

    /// The fields of its metadata.
    ///
    /// # Errors
    /// It has none, or it cannot be read.
    pub(super) fn fields(&mut self) -> Result<Fields, EggError> {
        Ok(Fields::parse(&self.text("METADATA")?))
    }

    /// Unpacks it in the form of an egg into `target`, which must not exist. Each file must be what `RECORD` says. What
    /// fails half-way is left for the caller
    /// to remove.
    ///
    /// # Errors
    /// Something cannot be read or written.
    pub(super) fn unpack(
        &mut self,
        target: &Utf8Path,
        environment: &MarkerEnvironment,
    ) -> Result<(), EggError> {
        let record = Record::parse(&self.text("RECORD")?, &self.information);
        let (information, data) = (&self.information, &self.data);
        self.archive.unpack(target, Some(&record), |name| place(name, information, data))?;
        let dependencies = Dependencies::from_fields(&self.fields()?, environment)?.to_requires_txt();
        let information = target.join("EGG-INFO");
        if !dependencies.is_empty() {
            write(&information.join("requires.txt"), &mut dependencies.as_bytes(), 0o644)?;
        }
        let namespaces = information.join("namespace_packages.txt");
        let text = files::read_text_if_present(&namespaces).map_err(|source| EggError::Io {
            action: "read",
            path: namespaces,
            source,
        })?;
        for namespace in text.unwrap_or_default().split_whitespace() {
            let relative = namespace.replace('.', "/");
            if stays_inside(&relative) {
                let package = target.join(relative).join("__init__.py");
                if !package.exists() {
                    write(&package, &mut NAMESPACE_PACKAGE.as_bytes(), 0o644)?;
                }
            }
        }
        Ok(())
    }

    fn check_format(&mut self) -> Result<(), EggError> {
        let text = self.text("WHEEL")?;
        let version =
            text.lines().find_map(|line| line.strip_prefix("Wheel-Version:")).unwrap_or_default().trim();
        if version.starts_with("1.") {
            return Ok(());
        }
        Err(self.archive.damaged(format!("its format `{version}` is not known")))
    }

    fn text(&mut self, name: &str) -> Result<String, EggError> {
        let entry = format!("{}/{name}", self.information);
        self.archive.text(&entry)?.ok_or_else(|| self.archive.damaged(format!("it has no {entry}")))
    }
}

/// Where an entry of the wheel goes inside of the egg; `None` for what an egg does not have.
fn place(entry: &str, information: &str, data: &str) -> Option<Utf8PathBuf> {
    let (top, rest) = entry.split_once('/').unwrap_or((entry, ""));
    if top == information {
        return Some(match rest {
            "METADATA" => "EGG-INFO/PKG-INFO".into(),
            _ => Utf8Path::new("EGG-INFO").join(rest),
        });
    }
    if top == data {
        let (scheme, rest) = rest.split_once('/')?;
        return Some(match scheme {
            "scripts" if rest.ends_with(".pyc") => return None,
            "scripts" => Utf8Path::new("EGG-INFO/scripts").join(rest),
            _ => rest.into(),
        });
    }
    Some(entry.into())
}

#[cfg(test)]
pub(super) mod tests {
    use std::io::Write;
    use std::os::unix::fs::PermissionsExt;

    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use fs_err as fs;
    use sha2::{Digest, Sha256};
    use zip::write::SimpleFileOptions;

    use super::super::requirement::tests::environment;
    use super::*;

    /// Writes a wheel with these files, and their record unless it is one of them; a name that ends in `!` is executable.
    pub(crate) fn write_wheel(directory: &Utf8Path, name: &str, files: &[(&str, &str)]) -> Utf8PathBuf {
        let path = directory.join(name);
        let mut archive = zip::ZipWriter::new(fs::File::create(&path).unwrap());
        let record = record(files);
        let record = record.as_ref().map(|(name, text)| (name.as_str(), text.as_str()));
        for (name, text) in files.iter().copied().chain(record) {
            let mode = if name.ends_with('!') { 0o755 } else { 0o644 };
            let options = SimpleFileOptions::default().unix_permissions(mode);
            archive.start_file(name.trim_end_matches('!'), options).unwrap();
            archive.write_all(text.as_bytes()).unwrap();
        }
        archive.finish().unwrap();
        path
    }

    /// The record of these files, if they are those of a wheel without one.
    fn record(files: &[(&str, &str)]) -> Option<(String, String)> {
        let information = files.iter().find_map(|(name, _)| Some(name.split_once(".dist-info/")?.0))?;
        let name = format!("{information}.dist-info/RECORD");
        if files.iter().any(|(listed, _)| *listed == name) {
            return None;
        }
        let lines = files.iter().map(|(name, text)| {
            let hash = URL_SAFE_NO_PAD.encode(Sha256::digest(text));
            format!("{},sha256={hash},{}\n", name.trim_end_matches('!'), text.len())
        });
        Some((name, lines.collect()))
    }

    /// Writes a pure wheel of one module with these requirements and entry points.
    pub(crate) fn write_simple_wheel(
        directory: &Utf8Path,
        project: &str,
        version: &str,
        requires: &[&str],
    ) -> Utf8PathBuf {
        let file = project.replace(['-', '.'], "_");
        let requires: String = requires.iter().map(|text| format!("Requires-Dist: {text}\n")).collect();
        let metadata = format!("Metadata-Version: 2.1\nName: {project}\nVersion: {version}\n{requires}\n");
        let information = format!("{file}-{version}.dist-info");
        write_wheel(
            directory,
            &format!("{file}-{version}-py3-none-any.whl"),
            &[
                (&format!("{file}.py"), "def main():\n    return 0\n"),
                (&format!("{information}/METADATA"), &metadata),
                (&format!("{information}/WHEEL"), "Wheel-Version: 1.0\nRoot-Is-Purelib: true\n"),
                (
                    &format!("{information}/entry_points.txt"),
                    &format!("[console_scripts]\n{file} = {file}:main\n"),
                ),
            ],
        )
    }

    fn scratch() -> (tempfile::TempDir, Utf8PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::try_from(directory.path().to_owned()).unwrap();
        (directory, path)
    }

    const WHEEL: (&str, &str) = ("a-1.dist-info/WHEEL", "Wheel-Version: 1.0\n");

    fn listing(directory: &Utf8Path) -> Vec<String> {
        let mut found = Vec::new();
        let mut pending = vec![directory.to_owned()];
        while let Some(current) = pending.pop() {
            for entry in current.read_dir_utf8().unwrap() {
                let path = entry.unwrap().into_path();
                if path.is_dir() {
                    pending.push(path);
                } else {
                    found.push(path.strip_prefix(directory).unwrap().to_string());
                }
            }
        }
        found.sort();
        found
    }

    #[test]
    fn a_wheel_takes_the_form_of_an_egg() {
        let (_guard, root) = scratch();
        let wheel = write_wheel(
            &root,
            "a-1-py3-none-any.whl",
            &[
                ("a/b/__init__.py", "x"),
                ("a-1.data/purelib/c.py", ""),
                ("a-1.data/data/share/d", ""),
                ("a-1.data/scripts/run!", "#!python\n"),
                ("a-1.dist-info/METADATA", "Name: a\nVersion: 1\nRequires-Dist: six\n\n"),
                ("a-1.dist-info/namespace_packages.txt", "a\n"),
                WHEEL,
            ],
        );
        let egg = root.join("a-1-py3.11.egg");

        Wheel::open(&wheel).unwrap().unpack(&egg, &environment()).unwrap();

        assert_eq!(
            listing(&egg),
            [
                "EGG-INFO/PKG-INFO",
                "EGG-INFO/RECORD",
                "EGG-INFO/WHEEL",
                "EGG-INFO/namespace_packages.txt",
                "EGG-INFO/requires.txt",
                "EGG-INFO/scripts/run",
                "a/__init__.py",
                "a/b/__init__.py",
                "c.py",
                "share/d"
            ]
        );
        assert_eq!(fs::read_to_string(egg.join("EGG-INFO/requires.txt")).unwrap(), "six\n");
        assert_eq!(
            fs::metadata(egg.join("EGG-INFO/scripts/run")).unwrap().permissions().mode() & 0o777,
            0o755
        );
    }

    #[test]
    fn names_that_point_outside_are_refused() {
        for name in ["../x", "/x", "a/../../x", "a\\..\\x"] {
            let (_guard, root) = scratch();
            let wheel = write_wheel(
                &root,
                "a-1-py3-none-any.whl",
                &[(name, ""), ("a-1.dist-info/METADATA", ""), WHEEL],
            );

            let error = Wheel::open(&wheel).err().unwrap();

            assert_eq!(error.code(), "E-eggs-damaged", "{name}");
            assert!(error.to_string().contains("points outside of it"), "{error}");
        }
    }

    #[test]
    fn what_is_not_a_wheel_is_refused() {
        let (_guard, root) = scratch();
        let text = root.join("a-1-py3-none-any.whl");
        fs::write(&text, "not a zip").unwrap();
        assert_eq!(Wheel::open(&text).err().unwrap().code(), "E-eggs-damaged");

        let bare = write_wheel(&root, "b-1-py3-none-any.whl", &[("b.py", "")]);
        assert!(Wheel::open(&bare).err().unwrap().to_string().contains("no .dist-info"));

        let newer =
            write_wheel(&root, "c-1-py3-none-any.whl", &[("c-1.dist-info/WHEEL", "Wheel-Version: 2.0\n")]);
        assert!(Wheel::open(&newer).err().unwrap().to_string().contains("format `2.0`"));
    }

    /// What comes of unpacking a wheel of these files beside the two that each one has.
    fn unpacked(files: &[(&str, &str)]) -> Result<Vec<String>, String> {
        let (_guard, root) = scratch();
        let standard = [WHEEL, ("a-1.dist-info/METADATA", "Name: a\nVersion: 1\n\n")];
        let wheel = write_wheel(&root, "a-1-py3-none-any.whl", &[files, &standard].concat());
        let egg = root.join("a-1-py3.11.egg");
        let mut wheel = Wheel::open(&wheel).unwrap();
        wheel.unpack(&egg, &environment()).map_err(|error| {
            assert_eq!(error.code(), "E-eggs-damaged");
            error.to_string()
        })?;
        Ok(listing(&egg))
    }

    #[test]
    fn a_record_leads_nowhere_and_need_not_be_kept_to_by_what_is_not_there() {
        let record =
            "../../x,sha256=0,9\n/etc/passwd,,\na.py,,\na-1.dist-info/METADATA,,\na-1.dist-info/WHEEL,,\n";
        let files = [("a.py", "x"), ("a-1.dist-info/RECORD", record), ("a-1.dist-info/RECORD.jws", "{}")];

        assert_eq!(
            unpacked(&files).unwrap(),
            ["EGG-INFO/PKG-INFO", "EGG-INFO/RECORD", "EGG-INFO/RECORD.jws", "EGG-INFO/WHEEL", "a.py"]
        );
    }

    #[test]
    fn a_file_that_is_not_as_recorded_is_refused() {
        let listed = "a-1.dist-info/METADATA,,\na-1.dist-info/WHEEL,,\n";
        let other = URL_SAFE_NO_PAD.encode(Sha256::digest("other"));
        let changed = format!("{listed}a.py,sha256={other},5\n");

        let error = |record: &str| unpacked(&[("a.py", "x"), ("a-1.dist-info/RECORD", record)]).unwrap_err();

        assert!(
            error(&changed).ends_with("`a.py` is not the file that its RECORD lists"),
            "{}",
            error(&changed)
        );
        assert!(error(listed).ends_with("`a.py` is not listed in its RECORD"), "{}", error(listed));
        assert!(error("").contains("is not listed in its RECORD"));
    }
}
