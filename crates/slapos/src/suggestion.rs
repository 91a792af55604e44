//! "Did you mean": the nearest of the names that would work.

/// The names among `candidates` that `word` was probably meant to be, the nearest first, at most three.
pub(crate) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let mut found: Vec<(usize, &str)> = candidates
        .into_iter()
        .filter_map(|candidate| {
            let distance = distance(word, candidate);
            let is_near =
                distance <= 2 && distance < candidate.chars().count() || sorted(word) == sorted(candidate);
            is_near.then_some((distance, candidate))
        })
        .collect();
    found.sort_unstable();
    found.truncate(3);
    found.into_iter().map(|(_, candidate)| candidate).collect()
}

fn sorted(word: &str) -> Vec<char> {
    let mut letters: Vec<char> = word.chars().collect();
    letters.sort_unstable();
    letters
}

/// Edits between two words: insert, delete, replace, swap neighbours.
fn distance(left: &str, right: &str) -> usize {
    let (left, right): (Vec<char>, Vec<char>) = (left.chars().collect(), right.chars().collect());
    let mut rows = vec![vec![0_usize; right.len() + 1]; left.len() + 1];
    for (index, row) in rows.iter_mut().enumerate() {
        row[0] = index;
    }
    for (index, cell) in rows[0].iter_mut().enumerate() {
        *cell = index;
    }
    for i in 1..=left.len() {
        for j in 1..=right.len() {
            let replaced = rows[i - 1][j - 1] + usize::from(left[i - 1] != right[j - 1]);
            let mut best = replaced.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
            if i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = best;
        }
    }
    rows[left.len()][right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typing_error_finds_its_word() {
        assert_eq!(nearest("stauts", ["status", "start", "stop"])[0], "status");
        assert_eq!(nearest("requets", ["request", "report"]), ["request"]);
        assert_eq!(nearest("sart", ["start", "stop"]), ["start"]);
    }

    #[test]
    fn something_else_finds_nothing() {
        assert!(nearest("banana", ["status", "up"]).is_empty());
        assert!(nearest("x", ["up"]).is_empty());
    }
}
