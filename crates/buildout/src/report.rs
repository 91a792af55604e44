//! What a person sees of a failed build: the full message, and the classic block of the Python engine.

mod classic;
mod hints;

use std::error::Error;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use crate::{BuildError, Excerpt, Fault};

pub use classic::classic;

/// The full message: what failed, why, the lines of the profile, what to do next, the code. Ends with a line break.
#[must_use]
pub fn render(error: &BuildError, colour: bool) -> String {
    let mut text = String::new();
    line(&mut text, paint("error:", "1;31", colour), &error.to_string());
    for cause in causes(error) {
        line(&mut text, format!("  {}", paint("because:", "1", colour)), &cause);
    }
    for excerpt in error.excerpts() {
        text.push_str(&source_lines(excerpt, colour));
    }
    for hint in hints::hints(error).into_iter().take(3) {
        line(&mut text, paint("hint:", "1;36", colour), &hint);
    }
    text.push_str(error.code());
    text.push('\n');
    text
}

/// The same for programs: `error`, `because`, `lines`, `hints`, `code`.
#[must_use]
pub fn document(error: &BuildError) -> serde_json::Value {
    let lines = error.excerpts().iter().map(|Excerpt { file, text, range, label }| {
        let start = text[..range.start].rfind('\n').map_or(0, |end| end + 1);
        let line = text[start..].lines().next().unwrap_or_default();
        let number = 1 + text[..start].matches('\n').count();
        let column = 1 + text[start..range.start].chars().count();
        serde_json::json!({"file": file, "line": number, "column": column, "text": line, "label": label})
    });
    serde_json::json!({
        "error": error.to_string(),
        "because": causes(error),
        "lines": lines.collect::<Vec<_>>(),
        "hints": hints::hints(error).into_iter().take(3).collect::<Vec<_>>(),
        "code": error.code(),
    })
}

fn line(text: &mut String, head: String, body: &str) {
    text.push_str(&head);
    text.push(' ');
    text.push_str(body.trim_end());
    text.push('\n');
}

fn paint(word: &str, style: &str, colour: bool) -> String {
    if colour { format!("\u{1b}[{style}m{word}\u{1b}[0m") } else { word.to_owned() }
}

/// Why it failed, one sentence for each layer; facts that the headline leaves out first.
fn causes(error: &BuildError) -> Vec<String> {
    let mut causes = hints::facts(error);
    let mut source: Option<&(dyn Error + 'static)> = match error.fault() {
        // The recipe's own message is the headline.
        Fault::Recipe { error, .. } => error.source(),
        fault => fault.source(),
    };
    while let Some(cause) = source {
        let text = cause.to_string();
        if !causes.contains(&text) {
            causes.push(text);
        }
        source = cause.source();
    }
    causes
}

fn source_lines(excerpt: &Excerpt, colour: bool) -> String {
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    // Only the lines that are shown: a profile can be large.
    let start = excerpt.text[..excerpt.range.start].rfind('\n').map_or(0, |end| end + 1);
    let end = excerpt.text[excerpt.range.end..]
        .find('\n')
        .map_or(excerpt.text.len(), |end| excerpt.range.end + end);
    let first_line = 1 + excerpt.text[..start].matches('\n').count();
    let mut annotation = AnnotationKind::Primary.span(excerpt.range.start - start..excerpt.range.end - start);
    if !excerpt.label.is_empty() {
        annotation = annotation.label(excerpt.label.as_str());
    }
    let snippet = Snippet::source(&excerpt.text[start..end])
        .line_start(first_line)
        .path(excerpt.file.as_str())
        .annotation(annotation);
    let mut lines =
        renderer.decor_style(DecorStyle::Unicode).render(&[Group::with_level(Level::ERROR).element(snippet)]);
    lines.push('\n');
    lines
}
