//! `GET getHostingSubscriptionIpList`: the addresses of all instances of the tree that a partition belongs to.

use std::sync::Arc;

use axum::extract::State;
use slap::wire::Marshalled;

use super::{Answer, Outcome};
use crate::api::{Fields, Refusal};
use crate::master::Master;
use crate::store::StoreError;

pub(super) async fn handle(State(master): State<Arc<Master>>, fields: Fields) -> Outcome {
    let (computer, partition) = (fields.parse("computer_id")?, fields.parse("computer_partition_id")?);
    let addresses = master.store.read(move |tx| match tx.instance_at(&computer, &partition)? {
        Some(instance) => tx.tree_addresses(instance.tree()),
        None => Ok::<_, StoreError>(Vec::new()),
    });
    let addresses = addresses.await.map_err(Refusal::Failed)?;
    let tuple = |(interface, address)| {
        Marshalled::Tuple(vec![Marshalled::Text(interface), Marshalled::Text(address)])
    };
    Answer::marshalled(&Marshalled::List(addresses.into_iter().map(tuple).collect()))
}
