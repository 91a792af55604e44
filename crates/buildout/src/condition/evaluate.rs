//! Evaluates the expressions of conditions against the facts of an interpreter.

use host::python::Facts;

use super::ConditionError;
use super::expression::{Comprehension, Expression};
use super::python::{attribute, call, global};
use super::value::{Value, compare, index_of, slice};

/// More evaluations than this are refused: nested comprehensions multiply.
const MOST_STEPS: u32 = 100_000;

/// What names mean while an expression is evaluated.
struct Scope<'a> {
    facts: &'a Facts,
    /// Variables of comprehensions, the innermost last.
    variables: Vec<(String, Value)>,
    steps: u32,
}

pub(super) fn evaluate(expression: &Expression, facts: &Facts) -> Result<Value, ConditionError> {
    Scope { facts, variables: Vec::new(), steps: 0 }.evaluate(expression)
}

impl Scope<'_> {
    fn evaluate(&mut self, expression: &Expression) -> Result<Value, ConditionError> {
        self.steps += 1;
        if self.steps > MOST_STEPS {
            return Err(ConditionError::Meaning("it takes too long".to_owned()));
        }
        Ok(match expression {
            Expression::None => Value::None,
            Expression::Bool(value) => Value::Bool(*value),
            Expression::Int(number) => Value::Int(*number),
            Expression::Text(text) => Value::Text(text.clone()),
            Expression::Name(name) => match self.variables.iter().rfind(|(known, _)| known == name) {
                Some((_, value)) => value.clone(),
                None => global(name, self.facts)?,
            },
            Expression::Tuple(items) => Value::Tuple(self.evaluate_all(items)?),
            Expression::List(items) => Value::List(self.evaluate_all(items)?),
            Expression::Comprehension(comprehension) => self.comprehension(comprehension)?,
            Expression::Attribute(owner, name) => attribute(&self.evaluate(owner)?, name, self.facts)?,
            Expression::Index(owner, index) => index_of(&self.evaluate(owner)?, &self.evaluate(index)?)?,
            Expression::Slice(owner, start, end) => slice(&self.evaluate(owner)?, *start, *end)?,
            Expression::Call(function, arguments) => {
                let function = self.evaluate(function)?;
                call(&function, &self.evaluate_all(arguments)?, self.facts)?
            }
            Expression::Not(inner) => Value::Bool(!self.evaluate(inner)?.is_true()),
            Expression::And(left, right) => match self.evaluate(left)? {
                left if left.is_true() => self.evaluate(right)?,
                left => left,
            },
            Expression::Or(left, right) => match self.evaluate(left)? {
                left if left.is_true() => left,
                _ => self.evaluate(right)?,
            },
            Expression::Compare(first, rest) => {
                let mut left = self.evaluate(first)?;
                for (comparison, right) in rest {
                    let right = self.evaluate(right)?;
                    if !compare(&left, *comparison, &right)? {
                        return Ok(Value::Bool(false));
                    }
                    left = right;
                }
                Value::Bool(true)
            }
        })
    }

    fn evaluate_all(&mut self, items: &[Expression]) -> Result<Vec<Value>, ConditionError> {
        items.iter().map(|item| self.evaluate(item)).collect()
    }

    fn comprehension(&mut self, comprehension: &Comprehension) -> Result<Value, ConditionError> {
        let items = match self.evaluate(&comprehension.items)? {
            Value::List(items) | Value::Tuple(items) => items,
            Value::Text(text) => text.chars().map(|letter| Value::Text(letter.to_string())).collect(),
            _ => return Err(ConditionError::Beyond("this cannot be gone through".to_owned())),
        };
        let mut made = Vec::new();
        for item in items {
            self.variables.push((comprehension.variable.clone(), item));
            let is_wanted = match &comprehension.condition {
                Some(condition) => self.evaluate(condition)?.is_true(),
                None => true,
            };
            if is_wanted {
                made.push(self.evaluate(&comprehension.element)?);
            }
            self.variables.pop();
        }
        Ok(Value::List(made))
    }
}
