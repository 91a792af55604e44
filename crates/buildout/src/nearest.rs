//! Did you mean: the existing names that are closest to one that does not exist.

/// At most three of `names` that differ from `wanted` by two edits or fewer (an exchange of neighbours is one), or that
/// have the same letters; the closest first.
pub fn nearest<'a>(wanted: &str, names: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let wanted_letters = sorted_letters(wanted);
    let mut found: Vec<(usize, &str)> = names
        .into_iter()
        .filter(|name| *name != wanted)
        .filter_map(|name| {
            let distance = distance(wanted, name);
            // Two edits turn any two-letter word into any other, so a name must keep at least half of itself.
            let close = distance <= 2 && distance * 2 <= wanted.chars().count();
            (close || sorted_letters(name) == wanted_letters).then_some((distance, name))
        })
        .collect();
    found.sort_unstable();
    found.dedup();
    found.into_iter().take(3).map(|(_, name)| name.to_owned()).collect()
}

fn sorted_letters(word: &str) -> Vec<char> {
    let mut letters: Vec<char> = word.chars().filter(|letter| letter.is_alphanumeric()).collect();
    letters.sort_unstable();
    letters
}

/// Damerau's distance in its usual restricted form: inserted, removed, changed or exchanged letters.
fn distance(left: &str, right: &str) -> usize {
    let left: Vec<char> = left.chars().collect();
    let right: Vec<char> = right.chars().collect();
    if left.len().abs_diff(right.len()) > 2 {
        return usize::MAX / 4;
    }
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=right.len()).collect();
    for row in 1..=left.len() {
        let mut line = vec![row; right.len() + 1];
        for column in 1..=right.len() {
            let change = usize::from(left[row - 1] != right[column - 1]);
            let mut best = (above[column] + 1).min(line[column - 1] + 1).min(above[column - 1] + change);
            if row > 1
                && column > 1
                && left[row - 1] == right[column - 2]
                && left[row - 2] == right[column - 1]
            {
                best = best.min(before[column - 2] + 1);
            }
            line[column] = best;
        }
        before = std::mem::replace(&mut above, line);
    }
    above[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exchanged_and_missing_letters_are_near() {
        assert_eq!(nearest("recpie", ["recipe", "url", "md5sum"]), ["recipe"]);
        assert_eq!(nearest("md5sm", ["recipe", "url", "md5sum"]), ["md5sum"]);
    }

    #[test]
    fn the_closest_come_first_and_at_most_three() {
        assert_eq!(nearest("port", ["ports", "part", "sport", "prot", "bin"]), ["part", "ports", "prot"]);
    }

    #[test]
    fn another_word_is_not_near() {
        assert!(nearest("a", ["b", "xy"]).is_empty());
        assert!(nearest("location", ["recipe"]).is_empty());
    }
}
