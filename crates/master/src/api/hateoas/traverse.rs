//! `mode=traverse`: the view of something that a search found. It is answered directly, so that no address that a
//! client sends is ever redirected to.

use percent_encoding::percent_decode_str;

use super::{Document, Fields, PublicUrl, Refusal, computer, service};
use crate::master::Master;

pub(super) async fn traverse(master: &Master, url: &PublicUrl, fields: &Fields) -> Result<Document, Refusal> {
    let relative_url = fields.require("relative_url")?;
    let unknown = || Refusal::NotFound(format!("nothing is at {relative_url}"));
    let below = relative_url.strip_prefix(&url.path("hateoas/")).ok_or_else(unknown)?;
    let (kind, name) = below.split_once('/').filter(|(_, name)| !name.contains('/')).ok_or_else(unknown)?;
    let name = percent_decode_str(name).decode_utf8().map_err(|_| unknown())?.into_owned();
    match kind {
        "partitions" => service::service(master, name).await,
        "shared" => service::shared(master, name).await,
        "computers" => computer::computer(master, &name).await,
        _ => Err(unknown()),
    }
}
