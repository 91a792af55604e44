//! Why a request is not fulfilled, as a status of HTTP and a line of text.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use hyper::ext::ReasonPhrase;
use slap::client::ClientError;
use slap::wire::WireError;
use slap::{InvalidId, UnknownState};
use thiserror::Error;

use crate::master::DocumentError;
use crate::store::StoreError;
use crate::tree::connection::PublishError;
use crate::tree::request::RequestError;

/// What a client is told instead of an answer.
#[derive(Debug, Error)]
pub(crate) enum Refusal {
    /// A field is missing or not what it should be.
    #[error("{0}")]
    Bad(String),
    /// The request may come from a page of somebody else.
    #[error("{0}")]
    Foreign(String),
    #[error("{0}")]
    NotFound(String),
    /// The request is accepted; there is nothing to show for it yet.
    #[error("Resource not ready")]
    NotReady,
    /// The master that the request was forwarded to gave no answer.
    #[error("the other master failed: {0}")]
    OtherMaster(ClientError),
    #[error("the request is larger than {} MiB", super::fields::LIMIT / 1024 / 1024)]
    TooLarge,
    #[error("the master failed to do this; nothing was changed")]
    Failed(#[from] StoreError),
    #[error("the master failed to write the answer")]
    Unwritable(#[source] WireError),
}

impl Refusal {
    fn status(&self) -> StatusCode {
        match self {
            Self::Bad(_) => StatusCode::BAD_REQUEST,
            Self::Foreign(_) => StatusCode::FORBIDDEN,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::NotReady => StatusCode::REQUEST_TIMEOUT,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::OtherMaster(_) => StatusCode::BAD_GATEWAY,
            Self::Failed(StoreError::Stopped) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Failed(_) | Self::Unwritable(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        if self.status().is_server_error() {
            let because = std::error::Error::source(&self).map(ToString::to_string);
            tracing::error!(refusal = %self, because, "failed to answer a request");
        }
        let content_type = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
        let mut response = (self.status(), content_type, format!("{self}\n")).into_response();
        if matches!(self, Self::Bad(_)) {
            // Compatibility: a check of the Python client compares the reason phrase, which the reference capitalises.
            response.extensions_mut().insert(ReasonPhrase::from_static(b"BAD REQUEST"));
        }
        response
    }
}

impl From<InvalidId> for Refusal {
    fn from(error: InvalidId) -> Self {
        Self::Bad(error.to_string())
    }
}

impl From<UnknownState> for Refusal {
    fn from(error: UnknownState) -> Self {
        Self::Bad(error.to_string())
    }
}

impl From<WireError> for Refusal {
    fn from(error: WireError) -> Self {
        Self::Bad(error.to_string())
    }
}

impl From<DocumentError> for Refusal {
    fn from(error: DocumentError) -> Self {
        match error {
            DocumentError::UnknownComputer(_) => Self::NotFound(error.to_string()),
            DocumentError::Wire(source) => Self::Unwritable(source),
            DocumentError::Store(source) => Self::Failed(source),
        }
    }
}

impl From<RequestError> for Refusal {
    fn from(error: RequestError) -> Self {
        match error {
            RequestError::NoPartition { .. } | RequestError::NoHost { .. } => {
                Self::NotFound(error.to_string())
            }
            RequestError::NothingToDestroy { .. } => Self::NotReady,
            RequestError::Id(_) | RequestError::Wire(_) => Self::Bad(error.to_string()),
            RequestError::Store(source) => Self::Failed(source),
        }
    }
}

impl From<PublishError> for Refusal {
    fn from(error: PublishError) -> Self {
        match error {
            PublishError::NoInstance { .. } | PublishError::NoShared { .. } => {
                Self::NotFound(error.to_string())
            }
            PublishError::Wire(_) => Self::Bad(error.to_string()),
            PublishError::Store(source) => Self::Failed(source),
        }
    }
}
