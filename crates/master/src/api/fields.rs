//! The fields of a request: those of its form and those of its address.

use std::collections::HashMap;
use std::str::FromStr;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::http::Method;
use http_body_util::{BodyExt, Limited};

use super::Refusal;

/// No honest form is larger, in bytes.
pub(super) const LIMIT: usize = 64 * 1024 * 1024;

/// A client must have sent its form by then.
const TIMEOUT: Duration = Duration::from_mins(1);

/// Texts by name. The word `None`, in any case, stands for a field that is absent.
pub(crate) struct Fields(HashMap<String, String>);

impl Fields {
    /// The text of a field, unless it is absent.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|text| !text.eq_ignore_ascii_case("none"))
    }

    /// The text of a field that must not be absent.
    pub(crate) fn require(&self, name: &str) -> Result<&str, Refusal> {
        self.get(name).ok_or_else(|| Refusal::Bad(format!("the field `{name}` is missing")))
    }

    /// A field that must be there and be what it should.
    pub(crate) fn parse<T>(&self, name: &str) -> Result<T, Refusal>
    where
        T: FromStr,
        T::Err: Into<Refusal>,
    {
        self.require(name)?.parse().map_err(Into::into)
    }

    fn insert_all(&mut self, encoded: &[u8]) {
        let pairs = url::form_urlencoded::parse(encoded);
        self.0.extend(pairs.map(|(name, text)| (name.into_owned(), text.into_owned())));
    }
}

impl<S: Sync> FromRequest<S> for Fields {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        let mut fields = Self(HashMap::new());
        fields.insert_all(request.uri().query().unwrap_or_default().as_bytes());
        if request.method() == Method::POST {
            fields.insert_all(&form(request.into_body()).await?);
        }
        Ok(fields)
    }
}

async fn form(body: Body) -> Result<Vec<u8>, Refusal> {
    let collected = tokio::time::timeout(TIMEOUT, Limited::new(body, LIMIT).collect()).await;
    match collected {
        Ok(Ok(collected)) => Ok(collected.to_bytes().into()),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => Err(Refusal::TooLarge),
        Ok(Err(error)) => Err(Refusal::Bad(format!("the form ended early: {error}"))),
        Err(_) => Err(Refusal::Bad("the form was not sent in time".to_owned())),
    }
}
