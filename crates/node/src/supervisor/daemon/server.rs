//! The daemon's socket: XML-RPC at `/RPC2`, and logs that are followed at `/logtail/<process>` and `/mainlogtail`.

use std::convert::Infallible;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use fs_err as fs;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Body, Bytes, Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use tokio::net::UnixListener;
use tokio::sync::{mpsc, oneshot};

use super::super::xml_rpc::{self, Fault, Value, code};
use super::calls::Answer;

/// The longest call that is read, in bytes.
const LONGEST_CALL: usize = 4 << 20;

/// How much of a log is shown before what comes.
const TAIL: u64 = 1024;

/// What a connection asks of the daemon.
pub(super) enum Request {
    Call { method: String, parameters: Vec<Value>, reply: oneshot::Sender<Answer> },
    LogPath { process: String, is_error: bool, reply: oneshot::Sender<Option<Utf8PathBuf>> },
}

/// Binds the socket so that it has its mode from the first moment, in place of one that a dead daemon left.
pub(super) fn listen(path: &Utf8Path, mode: u32) -> io::Result<UnixListener> {
    let temporary = Utf8PathBuf::from(format!("{path}.{}", std::process::id()));
    host::files::remove_if_present(&temporary)?;
    let listener = UnixListener::bind(&temporary)?;
    fs::set_permissions(&temporary, std::fs::Permissions::from_mode(mode))?;
    fs::rename(&temporary, path)?;
    Ok(listener)
}

/// Serves connections until it is aborted.
pub(super) async fn accept(
    listener: UnixListener,
    requests: mpsc::Sender<Request>,
    main_log: Rc<Utf8PathBuf>,
) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // No descriptor is free; one will be.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let (requests, main_log) = (requests.clone(), main_log.clone());
        tokio::task::spawn_local(async move {
            let service = service_fn(move |request| answer(request, requests.clone(), main_log.clone()));
            // A client that goes away in the middle is no business of ours.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn answer(
    request: hyper::Request<Incoming>,
    requests: mpsc::Sender<Request>,
    main_log: Rc<Utf8PathBuf>,
) -> Result<Response<Content>, Infallible> {
    let path = unquote(request.uri().path());
    let is_get = request.method() == Method::GET;
    if path.trim_end_matches('/') == "/RPC2" && request.method() == Method::POST {
        return Ok(call(request, &requests).await);
    }
    if is_get && path == "/mainlogtail" {
        return Ok(follow(main_log.as_ref().clone()));
    }
    if let (true, Some(rest)) = (is_get, path.strip_prefix("/logtail/")) {
        let (process, output) = rest.split_once('/').unwrap_or((rest, "stdout"));
        let (reply, log) = oneshot::channel();
        let asked = Request::LogPath { process: process.to_owned(), is_error: output == "stderr", reply };
        if requests.send(asked).await.is_ok()
            && let Ok(Some(path)) = log.await
        {
            return Ok(follow(path));
        }
    }
    Ok(plain(StatusCode::NOT_FOUND, "not found\n"))
}

async fn call(request: hyper::Request<Incoming>, requests: &mpsc::Sender<Request>) -> Response<Content> {
    let Ok(body) = Limited::new(request.into_body(), LONGEST_CALL).collect().await else {
        return plain(StatusCode::PAYLOAD_TOO_LARGE, "the call is too long\n");
    };
    let document = String::from_utf8_lossy(&body.to_bytes()).into_owned();
    let Ok((method, parameters)) = xml_rpc::read_call(&document) else {
        return plain(StatusCode::BAD_REQUEST, "no XML-RPC call\n");
    };
    let answer = if method == "system.multicall" {
        call_all(&parameters, requests).await
    } else {
        call_one(method, parameters, requests).await
    };
    let mut response = plain(StatusCode::OK, &xml_rpc::write_answer(&answer));
    response.headers_mut().insert("content-type", hyper::header::HeaderValue::from_static("text/xml"));
    response
}

async fn call_one(method: String, parameters: Vec<Value>, requests: &mpsc::Sender<Request>) -> Answer {
    let ended = || Fault::new(code::SHUTDOWN_STATE, "");
    let (reply, answer) = oneshot::channel();
    requests.send(Request::Call { method, parameters, reply }).await.map_err(|_| ended())?;
    answer.await.map_err(|_| ended())?
}

/// Several calls in one, one after the other; each result is a list of one, each fault a structure.
async fn call_all(parameters: &[Value], requests: &mpsc::Sender<Request>) -> Answer {
    let mut results = Vec::new();
    for call in parameters.first().map(Value::elements).unwrap_or_default() {
        let method = call.member("methodName").and_then(Value::as_text).unwrap_or_default().to_owned();
        let parameters = call.member("params").map(Value::elements).unwrap_or_default().to_vec();
        let answer = match method.as_str() {
            "system.multicall" => {
                Err(Fault::new(code::INCORRECT_PARAMETERS, "Recursive system.multicall forbidden"))
            }
            _ => call_one(method, parameters, requests).await,
        };
        results.push(match answer {
            Ok(value) => value,
            Err(fault) => Value::Struct(vec![
                ("faultCode".to_owned(), fault.code.into()),
                ("faultString".to_owned(), Value::Text(fault.text)),
            ]),
        });
    }
    Ok(Value::Array(results))
}

/// What is sent: a whole text, or pieces as they come.
enum Content {
    Whole(Full<Bytes>),
    Pieces(mpsc::Receiver<Bytes>),
}

impl Body for Content {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        match self.get_mut() {
            Self::Whole(body) => Pin::new(body).poll_frame(context),
            Self::Pieces(pieces) => {
                pieces.poll_recv(context).map(|piece| piece.map(|piece| Ok(Frame::data(piece))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(body) if body.is_end_stream())
    }

    fn size_hint(&self) -> hyper::body::SizeHint {
        match self {
            Self::Whole(body) => body.size_hint(),
            Self::Pieces(_) => hyper::body::SizeHint::default(),
        }
    }
}

fn plain(status: StatusCode, text: &str) -> Response<Content> {
    let mut response = Response::new(Content::Whole(Full::new(Bytes::from(text.to_owned()))));
    *response.status_mut() = status;
    response
}

/// The end of a log and whatever is added to it, for as long as the client listens.
fn follow(path: Utf8PathBuf) -> Response<Content> {
    let (sender, pieces) = mpsc::channel(8);
    tokio::task::spawn_local(async move {
        let mut position = fs::metadata(&path).map_or(0, |metadata| metadata.len().saturating_sub(TAIL));
        while !sender.is_closed() {
            match added(&path, position).await {
                Ok((piece, end)) => {
                    position = end;
                    if !piece.is_empty() && sender.send(piece).await.is_err() {
                        return;
                    }
                }
                // The log was moved away, and its successor comes.
                Err(_) => position = 0,
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    });
    Response::new(Content::Pieces(pieces))
}

async fn added(path: &Utf8Path, position: u64) -> io::Result<(Bytes, u64)> {
    let size = fs::metadata(path)?.len();
    // A log that shrank is another one.
    let position = if size < position { 0 } else { position };
    if size == position {
        return Ok((Bytes::new(), position));
    }
    let mut file = tokio::fs::File::open(path).await?;
    file.seek(io::SeekFrom::Start(position)).await?;
    let mut bytes = Vec::new();
    file.take(64 * 1024).read_to_end(&mut bytes).await?;
    let end = position + bytes.len() as u64;
    Ok((Bytes::from(bytes), end))
}

fn unquote(path: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = path.as_bytes();
    while let [first, tail @ ..] = rest {
        let escaped = tail.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match escaped.and_then(|digits| u8::from_str_radix(digits, 16).ok()).filter(|_| *first == b'%') {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_in_paths_are_resolved() {
        assert_eq!(unquote("/logtail/a%3Ab%zz%"), "/logtail/a:b%zz%");
    }
}
