//! What a wheel says of its own files: `RECORD`.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use shacache::{Algorithm, Checksum, hexadecimal};

/// The files of a wheel, with their hashes.
pub(super) struct Record {
    /// By name: the hash as it is written, perhaps nothing.
    files: HashMap<String, String>,
    /// The names that vouch for the others and need not be listed themselves.
    own: [String; 3],
}

impl Record {
    /// Reads the text of `DIRECTORY/RECORD`: lines of name, hash and size, separated by commas.
    pub(super) fn parse(text: &str, directory: &str) -> Self {
        let files = text.lines().filter_map(|line| {
            let mut fields = fields(line).into_iter();
            let name = fields.next().filter(|name| !name.is_empty())?;
            // Some were written on Windows.
            let name = name.replace('\\', "/");
            let name = name.strip_prefix("./").map(str::to_owned).unwrap_or(name);
            Some((name, fields.next().unwrap_or_default()))
        });
        let own = ["RECORD", "RECORD.jws", "RECORD.p7s"].map(|name| format!("{directory}/{name}"));
        Self { files: files.collect(), own }
    }

    /// The hash that a file must have, if it is listed with one.
    ///
    /// # Errors
    /// A sentence that says what is wrong: it is not listed, or its hash is none that can be checked.
    pub(super) fn checksum(&self, name: &str) -> Result<Option<Checksum>, String> {
        if self.own.iter().any(|own| own == name) {
            return Ok(None);
        }
        let written = self.files.get(name).ok_or_else(|| format!("`{name}` is not listed in its RECORD"))?;
        if written.is_empty() {
            return Ok(None);
        }
        let unknown =
            || format!("the hash of `{name}` in its RECORD is `{written}`, which cannot be checked");
        let (algorithm, hash) = written.split_once('=').ok_or_else(unknown)?;
        let algorithm = match algorithm.to_ascii_lowercase().as_str() {
            "sha256" => Algorithm::Sha256,
            "sha512" => Algorithm::Sha512,
            _ => return Err(unknown()),
        };
        let bytes = URL_SAFE_NO_PAD.decode(hash.trim_end_matches('=')).map_err(|_| unknown())?;
        Ok(Some(Checksum::new(algorithm, &hexadecimal(&bytes))))
    }
}

/// The fields of a line; those that hold a comma or a quotation mark stand in quotation marks, with each of them doubled.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let (mut is_quoted, mut was_mark) = (false, false);
    for letter in line.chars() {
        let field = fields.last_mut().expect("there is always one");
        match letter {
            '"' if was_mark => {
                field.push('"');
                (is_quoted, was_mark) = (true, false);
                continue;
            }
            '"' if is_quoted => is_quoted = false,
            '"' if field.is_empty() => {
                is_quoted = true;
                continue;
            }
            ',' if !is_quoted => fields.push(String::new()),
            letter => field.push(letter),
        }
        was_mark = letter == '"' && !is_quoted;
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_may_hold_commas_and_marks() {
        assert_eq!(fields("a.py,sha256=x,3"), ["a.py", "sha256=x", "3"]);
        assert_eq!(fields(r#""a,b.py",,"#), ["a,b.py", "", ""]);
        assert_eq!(fields(r#""a""b".py,,"#), [r#"a"b.py"#, "", ""]);
        assert_eq!(fields(""), [""]);
    }

    #[test]
    fn a_file_must_be_listed_and_its_hash_be_one_that_can_be_checked() {
        let text = "a.py,sha256=ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0,3\nb\\c.py,,\nd.py,md5=x,\ne.py,sha256=!,\n";
        let record = Record::parse(text, "a-1.dist-info");

        let found = record.checksum("a.py").unwrap().unwrap();
        assert_eq!(found.digits, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(record.checksum("b/c.py"), Ok(None));
        assert_eq!(record.checksum("a-1.dist-info/RECORD"), Ok(None));
        assert_eq!(record.checksum("RECORD").unwrap_err(), "`RECORD` is not listed in its RECORD");
        for name in ["d.py", "e.py"] {
            assert!(record.checksum(name).unwrap_err().contains("cannot be checked"), "{name}");
        }
    }
}
