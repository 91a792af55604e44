//! `allow-hosts`: which hosts may be asked.

use url::Url;

use super::Places;

impl Places {
    /// Whether the host of an address may be asked; what has none is on this machine.
    pub(super) fn allows_host(&self, url: &Url) -> bool {
        let Some(host) = url.host_str() else { return true };
        let with_port = url.port().map(|port| format!("{host}:{port}"));
        let host = with_port.as_deref().unwrap_or(host);
        self.allow_hosts.is_empty() || self.allow_hosts.iter().any(|pattern| matches_pattern(pattern, host))
    }
}

/// Whether a text matches a pattern in which `*` stands for any text and `?` for any character.
fn matches_pattern(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) =
        (pattern.trim().to_lowercase().chars().collect(), text.to_lowercase().chars().collect());
    let (mut p, mut t, mut star) = (0, 0, None);
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(&c) if c == '?' || c == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((at, taken)) => {
                    p = at + 1;
                    t = taken + 1;
                    star = Some((at, t));
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_of_hosts_match_whole_names() {
        assert!(matches_pattern("*", "any.example"));
        assert!(matches_pattern("*.Example", "files.example"));
        assert!(matches_pattern("f?les.*e:80", "files.example:80"));
        assert!(!matches_pattern("*.example", "example"));
        assert!(!matches_pattern("example", "files.example"));
    }
}
