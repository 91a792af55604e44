//! Our extension: wait until something about a computer changes.

use std::time::Duration;

use super::{Client, ClientError};
use crate::id::ComputerId;

impl Client {
    /// Waits until something about the computer differs from what it was at `since`, an opaque token of an earlier
    /// answer; without a token the present one comes at once. `None` says that nothing changed within `wait`.
    ///
    /// # Errors
    /// `NotFound` from masters without this extension, and for an unknown computer; then poll. Else as
    /// [`Client::computer`].
    pub fn watch(
        &self,
        computer: &ComputerId,
        since: Option<&str>,
        wait: Duration,
    ) -> Result<Option<String>, ClientError> {
        let seconds = wait.as_secs_f64().to_string();
        let mut query = vec![("computer_id", computer.as_str()), ("wait", seconds.as_str())];
        query.extend(since.map(|token| ("since", token)));
        let token = self.get_within("watchComputer", &query, wait + self.timeout)?;
        Ok(Some(token.trim().to_owned()).filter(|token| since != Some(token.as_str())))
    }
}
