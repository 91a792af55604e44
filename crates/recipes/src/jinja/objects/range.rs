//! Python's range.

use std::fmt;
use std::sync::Arc;

use minijinja::value::{Enumerator, Object, ObjectRepr, Value};

use crate::jinja::text;

/// Python's range.
#[derive(Debug)]
pub(in crate::jinja) struct Range {
    pub(in crate::jinja) start: i64,
    pub(in crate::jinja) stop: i64,
    pub(in crate::jinja) step: i64,
}

impl Range {
    pub(in crate::jinja) fn len(&self) -> usize {
        let distance = i128::from(self.stop) - i128::from(self.start);
        let step = i128::from(self.step);
        let count = (distance + step - step.signum()) / step;
        usize::try_from(count.max(0)).unwrap_or(usize::MAX)
    }

    fn at(&self, index: usize) -> Option<Value> {
        let offset = i64::try_from(index).ok()?.checked_mul(self.step)?;
        (index < self.len()).then(|| Value::from(self.start + offset))
    }
}

impl Object for Range {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.at(key.as_usize()?)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        let range = Arc::clone(self);
        Enumerator::Iter(Box::new((0..self.len()).map_while(move |index| range.at(index))))
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        Some(self.len())
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&text::repr(&Value::from_dyn_object(self.clone())))
    }
}
