//! The same work for several items at once, their order kept.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Downloads, builds and installations that run at once.
pub(super) const AT_ONCE: usize = 8;

/// Does the same for each item, several at once, and keeps their order. The first failure is returned, in order.
pub(super) fn at_once<T: Sync, R: Send, E: Send>(
    items: &[T],
    work: impl Fn(&T) -> Result<R, E> + Sync,
) -> Result<Vec<R>, E> {
    let queue = Mutex::new(items.iter().enumerate());
    let results: Vec<Mutex<Option<Result<R, E>>>> = items.iter().map(|_| Mutex::new(None)).collect();
    let take = || locked(&queue).next();
    std::thread::scope(|scope| {
        for _ in 0..items.len().min(AT_ONCE) {
            scope.spawn(|| {
                while let Some((index, item)) = take() {
                    let result = work(item);
                    *locked(&results[index]) = Some(result);
                }
            });
        }
    });
    let results =
        results.into_iter().map(|result| result.into_inner().unwrap_or_else(PoisonError::into_inner));
    results.map(|result| result.expect("each item is worked on before the scope ends")).collect()
}

/// The content of a mutex, also when a holder of it panicked: what it guards is valid after every step.
pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
