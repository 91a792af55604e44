//! `GET getHateoasUrl`: where the HATEOAS interface is.

use super::Answer;
use crate::api::public_url::PublicUrl;

pub(super) async fn handle(url: PublicUrl) -> Answer {
    Answer::text(url.absolute("hateoas/"))
}
