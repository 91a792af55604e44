//! The last status of something, as a mapping.

use slap::wire::Marshalled;

use crate::moment::as_date;

/// What is known of a computer, an instance or a release.
pub(super) struct LastStatus<'a> {
    pub(super) reference: &'a str,
    pub(super) portal_type: &'a str,
    pub(super) reporter: &'a str,
    pub(super) text: Option<String>,
    pub(super) at: Option<i64>,
}

/// Without any report the mapping says so, and is not an error.
pub(super) fn mapping(status: LastStatus<'_>, now: i64) -> Marshalled {
    let is_unknown = status.text.is_none();
    let text = status.text.unwrap_or_else(|| format!("#error no data found for {}", status.reference));
    let at = status.at.filter(|_| !is_unknown).unwrap_or(now);
    let state = ["started", "stopped", "destroyed", "available", "building"];
    let state =
        state.into_iter().find(|word| text.split_whitespace().any(|w| w.trim_start_matches('#') == *word));
    let is_older_than = |seconds: i64| Marshalled::Int(i64::from(now - at > seconds * 1_000_000));
    let mut entries = vec![
        ("created_at", Marshalled::Text(as_date(at))),
        ("since", Marshalled::Text(as_date(at))),
        ("state", Marshalled::text(state.unwrap_or_default())),
        ("text", Marshalled::Text(text)),
        ("user", Marshalled::text(if is_unknown { "SlapOS Master" } else { status.reporter })),
        ("reference", Marshalled::text(status.reference)),
        ("portal_type", Marshalled::text(status.portal_type)),
    ];
    if is_unknown {
        entries.push(("no_data", Marshalled::Int(1)));
    } else {
        entries.push(("no_data_since_5_minutes", is_older_than(5 * 60)));
        entries.push(("no_data_since_15_minutes", is_older_than(15 * 60)));
    }
    Marshalled::map(entries)
}
