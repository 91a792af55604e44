//! `itertools.count` and `itertools.chain`.

use minijinja::value::Value;

use super::super::builtins::Builtin;
use super::super::objects::{Cursor, iterate};
use super::Module;

pub(super) fn module() -> Value {
    Module::value(
        "itertools",
        vec![
            (
                "count",
                Builtin::function("count", |_, args| {
                    let start = args.optional_integer(0, "start")?.unwrap_or(0);
                    let step = args.optional_integer(1, "step")?.unwrap_or(1);
                    Ok(Cursor::value(
                        std::iter::successors(Some(start), move |last| last.checked_add(step))
                            .map(Value::from),
                    ))
                }),
            ),
            (
                "chain",
                Builtin::function("chain", |_, args| {
                    let parts: Result<Vec<Vec<Value>>, _> = args.positional().iter().map(iterate).collect();
                    Ok(Cursor::value(parts?.into_iter().flatten()))
                }),
            ),
        ],
    )
}
