//! Rewrites a whole template: finds its tags as Jinja2 does, and rewrites the expressions in each.
//!
//! Text, comments and `raw` blocks are copied. A rewritten tag keeps its number of lines, so that messages of the
//! engine name the right line.

use super::rewrite::{OwnNames, Rewriter};
use super::tokens::{Tag, Token, read_tag};
use super::{Extensions, SyntaxError};

/// What a template sees of the one that imports it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sight {
    /// Its variables.
    Context,
    /// Nothing.
    Nothing,
}

/// What the name of a template that is imported without context starts with.
pub(super) const WITHOUT_CONTEXT: char = '\u{1}';

/// What holds in a whole template.
#[derive(Clone, Copy)]
struct Rules<'a> {
    extensions: Extensions,
    own: Option<&'a OwnNames>,
}

/// The template as the engine should read it. Line breaks become `\n`, as in Jinja2; both drop one at the end.
pub(super) fn rewrite_template(
    source: &str,
    extensions: Extensions,
    sight: Sight,
) -> Result<String, SyntaxError> {
    let mut own = OwnNames::new();
    let rewritten = rewrite(source, Rules { extensions, own: None }, &mut own)?;
    match sight {
        Sight::Context => Ok(rewritten),
        Sight::Nothing => rewrite(source, Rules { extensions, own: Some(&own) }, &mut OwnNames::new()),
    }
}

/// Rewrites, and collects the names that the template assigns.
fn rewrite(source: &str, rules: Rules<'_>, assigned: &mut OwnNames) -> Result<String, SyntaxError> {
    let source = source.replace("\r\n", "\n").replace('\r', "\n");
    let mut output = String::with_capacity(source.len() * 2);
    let mut rest = source.as_str();
    let mut line = 1;
    while let Some(start) = next_tag(rest) {
        output.push_str(&rest[..start]);
        line += rest[..start].matches('\n').count();
        rest = &rest[start..];
        let length = if rest.starts_with("{#") {
            let end =
                rest.find("#}").ok_or_else(|| SyntaxError::new(line, "the comment is not closed by `#}`"))?;
            output.push_str(&rest[..end + 2]);
            line += rest[..end].matches('\n').count();
            end + 2
        } else if let Some(length) = raw_block(rest) {
            let length = length
                .ok_or_else(|| SyntaxError::new(line, "the raw block is not closed by `{% endraw %}`"))?;
            output.push_str(&rest[..length]);
            line += rest[..length].matches('\n').count();
            length
        } else {
            let is_statement = rest.starts_with("{%");
            let open = if matches!(rest.as_bytes().get(2), Some(b'-' | b'+')) { 3 } else { 2 };
            let tag = read_tag(&rest[open..], if is_statement { "%}" } else { "}}" }, line)?;
            let inner = if is_statement {
                statement(&tag, line, rules, assigned)?
            } else {
                expression(&tag, line, rules)?
            };
            output.push_str(&rest[..open]);
            output.push(' ');
            output.push_str(&inner);
            output.push_str(&"\n".repeat(tag.breaks));
            output.push(' ');
            output.push_str(&tag.close);
            line += tag.breaks;
            open + tag.length
        };
        rest = &rest[length..];
    }
    output.push_str(rest);
    Ok(output)
}

fn next_tag(text: &str) -> Option<usize> {
    ["{{", "{%", "{#"].iter().filter_map(|open| text.find(open)).min()
}

/// The length of a `raw` block that starts here: `Some(None)` when it is not closed.
fn raw_block(text: &str) -> Option<Option<usize>> {
    let (_, body) = split_keyword(text, "raw")?;
    let mut offset = text.len() - body.len();
    while let Some(next) = text[offset..].find("{%") {
        offset += next;
        if let Some((_, rest)) = split_keyword(&text[offset..], "endraw") {
            return Some(Some(text.len() - rest.len()));
        }
        offset += 2;
    }
    Some(None)
}

/// Splits `{% word %}` from what follows.
fn split_keyword<'a>(text: &'a str, word: &str) -> Option<((), &'a str)> {
    let rest = text.strip_prefix("{%")?;
    let rest = rest.strip_prefix(['-', '+']).unwrap_or(rest).trim_start().strip_prefix(word)?.trim_start();
    let rest = rest.strip_prefix(['-', '+']).unwrap_or(rest);
    rest.strip_prefix("%}").map(|rest| ((), rest))
}

fn expression(tag: &Tag, line: usize, rules: Rules<'_>) -> Result<String, SyntaxError> {
    let mut rewriter = Rewriter::new(&tag.tokens, line, rules.own);
    let value = rewriter.tuple()?;
    finish(&rewriter, value)
}

fn finish(rewriter: &Rewriter<'_>, text: String) -> Result<String, SyntaxError> {
    if rewriter.at_end() { Ok(text) } else { Err(rewriter.unexpected("the end of the tag")) }
}

fn statement(
    tag: &Tag,
    line: usize,
    rules: Rules<'_>,
    assigned: &mut OwnNames,
) -> Result<String, SyntaxError> {
    let mut rewriter = Rewriter::new(&tag.tokens, line, rules.own);
    let keyword = rewriter.name()?;
    let text = match keyword {
        "if" | "elif" => format!("{keyword} {}", rewriter.tuple()?),
        "autoescape" => return Err(rewriter.error("`autoescape` is not supported")),
        "for" => for_loop(&mut rewriter)?,
        "set" => set(&mut rewriter)?,
        "do" if rules.extensions.do_statements => format!("do __do({})", rewriter.tuple()?),
        "break" | "continue" if rules.extensions.loop_controls => keyword.to_owned(),
        "do" | "break" | "continue" => {
            let extension = if keyword == "do" { "jinja2.ext.do" } else { "jinja2.ext.loopcontrols" };
            return Err(
                rewriter.error(format!("unknown tag `{keyword}` (it needs `extensions = {extension}`)"))
            );
        }
        "macro" => {
            let name = rewriter.assigned_name()?;
            rewriter.expect("(")?;
            format!("macro {name}({})", rewriter.parameters()?)
        }
        "call" => call(&mut rewriter)?,
        "filter" => filter_block(&mut rewriter)?,
        "with" => with(&mut rewriter)?,
        "include" | "extends" | "import" | "from" => template_reference(&mut rewriter, keyword)?,
        "block" => {
            let name = rewriter.name()?;
            if !rewriter.at_end() {
                return Err(rewriter.error("modifiers of `block` are not supported"));
            }
            format!("block {name}")
        }
        "else" | "endif" | "endfor" | "endset" | "endmacro" | "endcall" | "endfilter" | "endwith" => {
            keyword.to_owned()
        }
        "endblock" => {
            while let Some(Token::Name(_)) = rewriter.peek() {
                rewriter.next();
            }
            "endblock".to_owned()
        }
        other => return Err(rewriter.error(format!("unknown tag `{other}`"))),
    };
    let text = finish(&rewriter, text)?;
    assigned.extend(rewriter.into_assigned());
    Ok(text)
}

fn for_loop(rewriter: &mut Rewriter<'_>) -> Result<String, SyntaxError> {
    let target = target(rewriter)?;
    if !rewriter.skip_name("in") {
        return Err(rewriter.unexpected("`in`"));
    }
    let mut text = format!("for {target} in __iterate({})", rewriter.tuple_without_condition()?);
    if rewriter.skip_name("if") {
        text = format!("{text} if {}", rewriter.condition()?);
    }
    if rewriter.skip_name("recursive") {
        text.push_str(" recursive");
    }
    Ok(text)
}

/// One or several names to assign to, possibly nested or, in `set`, an attribute of a namespace.
fn target(rewriter: &mut Rewriter<'_>) -> Result<String, SyntaxError> {
    let mut names = vec![target_item(rewriter)?];
    let mut is_tuple = false;
    while rewriter.skip(",") {
        is_tuple = true;
        if rewriter.sees_name("in") || rewriter.sees("=") || rewriter.sees(")") {
            break;
        }
        names.push(target_item(rewriter)?);
    }
    let text = names.join(", ");
    Ok(if is_tuple { format!("({text}{})", if names.len() == 1 { "," } else { "" }) } else { text })
}

fn target_item(rewriter: &mut Rewriter<'_>) -> Result<String, SyntaxError> {
    if rewriter.skip("(") {
        let inner = target(rewriter)?;
        rewriter.expect(")")?;
        return Ok(if inner.starts_with('(') { inner } else { format!("({inner})") });
    }
    let name = rewriter.assigned_name()?.to_owned();
    if rewriter.skip(".") { Ok(format!("{name}.{}", rewriter.name()?)) } else { Ok(name) }
}

fn set(rewriter: &mut Rewriter<'_>) -> Result<String, SyntaxError> {
    let target = target(rewriter)?;
    if rewriter.skip("=") {
        return Ok(format!("set {target} = {}", rewriter.tuple()?));
    }
    let mut text = format!("set {target}");
    while rewriter.skip("|") {
        text = format!("{text} | {}", rewriter.filter()?);
    }
    Ok(text)
}

fn call(rewriter: &mut Rewriter<'_>) -> Result<String, SyntaxError> {
    let parameters = if rewriter.skip("(") { format!("({})", rewriter.parameters()?) } else { String::new() };
    Ok(format!("call{parameters} {}", rewriter.condition()?))
}

fn filter_block(rewriter: &mut Rewriter<'_>) -> Result<String, SyntaxError> {
    let mut filters = vec![rewriter.filter()?];
    while rewriter.skip("|") {
        filters.push(rewriter.filter()?);
    }
    Ok(format!("filter {}", filters.join("|")))
}

fn with(rewriter: &mut Rewriter<'_>) -> Result<String, SyntaxError> {
    let mut assignments = Vec::new();
    while !rewriter.at_end() {
        if !assignments.is_empty() {
            rewriter.expect(",")?;
        }
        let name = rewriter.assigned_name()?;
        rewriter.expect("=")?;
        assignments.push(format!("{name} = {}", rewriter.condition()?));
    }
    Ok(format!("with {}", assignments.join(", ")))
}

fn template_reference(rewriter: &mut Rewriter<'_>, keyword: &str) -> Result<String, SyntaxError> {
    let name = rewriter.condition()?;
    let mut rest = String::new();
    match keyword {
        "import" => {
            if !rewriter.skip_name("as") {
                return Err(rewriter.unexpected("`as`"));
            }
            rest = format!(" as {}", rewriter.assigned_name()?);
        }
        "from" => {
            if !rewriter.skip_name("import") {
                return Err(rewriter.unexpected("`import`"));
            }
            rest = format!(" import {}", imported_names(rewriter)?);
        }
        "include" if rewriter.skip_name("ignore") => {
            if !rewriter.skip_name("missing") {
                return Err(rewriter.unexpected("`missing`"));
            }
            rest.push_str(" ignore missing");
        }
        _ => {}
    }
    let with_context = context_marker(rewriter)?.unwrap_or(keyword == "include");
    match (keyword, with_context) {
        // The engine shows every template all variables; a template that shall not see them is rewritten.
        ("import" | "from", false) => {
            Ok(format!("{keyword} __concatenate(\"{WITHOUT_CONTEXT}\", {name}){rest}"))
        }
        ("include", false) => Err(rewriter.error("`include … without context` is not supported")),
        _ => Ok(format!("{keyword} {name}{rest}")),
    }
}

/// Reads `with context` or `without context`.
fn context_marker(rewriter: &mut Rewriter<'_>) -> Result<Option<bool>, SyntaxError> {
    for (word, with_context) in [("with", true), ("without", false)] {
        if rewriter.skip_name(word) {
            return if rewriter.skip_name("context") {
                Ok(Some(with_context))
            } else {
                Err(rewriter.unexpected("`context`"))
            };
        }
    }
    Ok(None)
}

fn imported_names(rewriter: &mut Rewriter<'_>) -> Result<String, SyntaxError> {
    let mut names = Vec::new();
    loop {
        let name = rewriter.assigned_name()?;
        names.push(if rewriter.skip_name("as") {
            format!("{name} as {}", rewriter.assigned_name()?)
        } else {
            name.to_owned()
        });
        if !rewriter.skip(",")
            || rewriter.at_end()
            || rewriter.sees_name("with")
            || rewriter.sees_name("without")
        {
            return Ok(names.join(", "));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewrite(source: &str) -> String {
        rewrite_template(source, Extensions { do_statements: true, loop_controls: true }, Sight::Context)
            .unwrap()
    }

    #[test]
    fn operators_become_calls_with_jinja_precedence() {
        assert_eq!(
            rewrite("{{ a + b * -c ** 2 }}"),
            "{{ __add(a, __multiply(b, __power(__negative(c), 2))) }}"
        );
        assert_eq!(rewrite("{{ '%s' % x ~ 'y' }}"), r#"{{ __concatenate(__modulo("%s", x), "y") }}"#);
        assert_eq!(
            rewrite("{{ 1 < a <= 3 and b not in c }}"),
            "{{ (__compare(1, '<', a, '<=', 3) and __compare(b, 'not in', c)) }}"
        );
    }

    #[test]
    fn literals_become_objects_that_can_be_changed() {
        assert_eq!(
            rewrite("{% set x = {'a': [1, 2,], 'b': (3,)} %}"),
            r#"{% set x = __dict(["a", __list([1, 2]), "b", ((3,))]) %}"#
        );
    }

    #[test]
    fn bare_tuples_and_any_expression_in_do_are_accepted() {
        assert_eq!(rewrite("{% for x in 'a', 'b' -%}"), r#"{% for x in __iterate(("a", "b")) -%}"#);
        assert_eq!(rewrite("{% do a and b.c() %}"), "{% do __do((a and b.c())) %}");
    }

    #[test]
    fn a_rewritten_tag_keeps_its_lines() {
        assert_eq!(rewrite("a\n{{ f(\n 1,\n 2) }}\nb\n"), "a\n{{ f(1, 2)\n\n }}\nb\n");
    }

    #[test]
    fn raw_blocks_and_comments_are_copied() {
        let source = "{%- raw %}{{ a % b }}{% endraw -%}{# {{ [1] #}x";

        assert_eq!(rewrite(source), source);
    }

    #[test]
    fn syntax_errors_name_the_line_and_what_is_wrong() {
        let message =
            |source| rewrite_template(source, Extensions::default(), Sight::Context).unwrap_err().to_string();

        assert_eq!(message("a\n{{ b + }}"), "line 2: expected an expression, found the end of the tag");
        assert_eq!(
            message("{% do a() %}"),
            "line 1: unknown tag `do` (it needs `extensions = jinja2.ext.do`)"
        );
        assert_eq!(message("\n\n{% frob %}"), "line 3: unknown tag `frob`");
        assert_eq!(message("{{ a b }}"), "line 1: expected the end of the tag, found `b`");
        assert_eq!(message("{% raw %} x"), "line 1: the raw block is not closed by `{% endraw %}`");
    }
}
