//! `~/.netrc`: names and passwords for hosts, in the form that ftp made popular.

/// The login and password for `host`, or those of the `default` entry.
pub(crate) fn credentials(netrc: &str, host: &str) -> Option<(String, String)> {
    let mut words = netrc.split_whitespace();
    let mut matches = false;
    let (mut login, mut password) = (None, None);
    while let Some(word) = words.next() {
        match word {
            "machine" | "default" => {
                if matches && password.is_some() {
                    break;
                }
                (login, password) = (None, None);
                matches = word == "default" || words.next() == Some(host);
            }
            "login" => login = words.next().filter(|_| matches),
            "password" => password = words.next().filter(|_| matches),
            "account" => {
                words.next();
            }
            // What follows is a program for a client, ended by a blank line that this reader does not see; nothing
            // behind it can be trusted to be an entry.
            "macdef" => break,
            _ => {}
        }
    }
    matches.then_some(())?;
    Some((login.unwrap_or_default().to_owned(), password?.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NETRC: &str = "machine a.example login anna password one\n\
        machine b.example\n  login bert account x password two\ndefault login any password three\n";

    #[test]
    fn the_entry_of_the_host_wins_over_the_default() {
        let found = |host| credentials(NETRC, host).unwrap();

        assert_eq!(found("a.example"), ("anna".into(), "one".into()));
        assert_eq!(found("b.example"), ("bert".into(), "two".into()));
        assert_eq!(found("c.example"), ("any".into(), "three".into()));
        assert_eq!(credentials("machine a login x password y", "b"), None);
        assert_eq!(credentials("machine a login x", "a"), None);
    }
}
