//! The classic interface: what nodes, recipes and the command line ask. Every method is one path segment.

mod available_software_release;
mod building_software_release;
mod computer_bang;
mod destroyed_computer_partition;
mod destroyed_software_release;
mod get_computer_partition_certificate;
mod get_computer_partition_status;
mod get_computer_status;
mod get_full_computer_information;
mod get_hateoas_url;
mod get_hosting_subscription_ip_list;
mod get_run_id;
mod get_software_installation_status;
mod get_software_release_list_from_software_product;
mod load_computer_configuration_from_xml;
mod register_computer_partition;
mod request_computer_partition;
mod set_computer_partition_connection_xml;
mod software_instance_bang;
mod software_instance_error;
mod software_instance_rename;
mod software_release_error;
mod started_computer_partition;
mod status_mapping;
mod stopped_computer_partition;
mod supply_supply;
mod update_computer_partition_related_instance_list;
mod use_computer;
mod watch_computer;

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use slap::wire::Marshalled;

use super::Refusal;
use crate::master::Master;

pub(super) fn router() -> Router<Arc<Master>> {
    Router::new()
        .route("/availableSoftwareRelease", post(available_software_release::handle))
        .route("/buildingSoftwareRelease", post(building_software_release::handle))
        .route("/computerBang", post(computer_bang::handle))
        .route("/destroyedComputerPartition", post(destroyed_computer_partition::handle))
        .route("/destroyedSoftwareRelease", post(destroyed_software_release::handle))
        .route("/getComputerInformation", get(get_full_computer_information::handle))
        .route("/getComputerPartitionCertificate", get(get_computer_partition_certificate::handle))
        .route("/getComputerPartitionStatus", get(get_computer_partition_status::handle))
        .route("/getComputerStatus", get(get_computer_status::handle))
        .route("/getFullComputerInformation", get(get_full_computer_information::handle))
        .route("/getHateoasUrl", get(get_hateoas_url::handle))
        .route("/getHostingSubscriptionIpList", get(get_hosting_subscription_ip_list::handle))
        .route("/getRunId", get(get_run_id::handle))
        .route("/getSoftwareInstallationStatus", get(get_software_installation_status::handle))
        .route(
            "/getSoftwareReleaseListFromSoftwareProduct",
            get(get_software_release_list_from_software_product::handle),
        )
        .route("/loadComputerConfigurationFromXML", post(load_computer_configuration_from_xml::handle))
        .route("/registerComputerPartition", get(register_computer_partition::handle))
        .route("/requestComputerPartition", post(request_computer_partition::handle))
        .route("/setComputerPartitionConnectionXml", post(set_computer_partition_connection_xml::handle))
        .route("/softwareInstanceBang", post(software_instance_bang::handle))
        .route("/softwareInstanceError", post(software_instance_error::handle))
        .route("/softwareInstanceRename", post(software_instance_rename::handle))
        .route("/softwareReleaseError", post(software_release_error::handle))
        .route("/startedComputerPartition", post(started_computer_partition::handle))
        .route("/stoppedComputerPartition", post(stopped_computer_partition::handle))
        .route("/supplySupply", post(supply_supply::handle))
        .route(
            "/updateComputerPartitionRelatedInstanceList",
            post(update_computer_partition_related_instance_list::handle),
        )
        .route("/useComputer", post(use_computer::handle))
        .route("/watchComputer", get(watch_computer::handle))
}

/// An answer of this interface.
enum Answer {
    /// A marshalled document.
    Document(Bytes),
    /// A text that clients ignore.
    Text(String),
}

impl Answer {
    fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    fn marshalled(value: &Marshalled) -> Result<Self, Refusal> {
        value.write().map(|document| Self::Document(document.into())).map_err(Refusal::Unwritable)
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        match self {
            Self::Document(document) => {
                ([(header::CONTENT_TYPE, "text/xml; charset=utf-8")], document).into_response()
            }
            Self::Text(text) => ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response(),
        }
    }
}

/// What every endpoint of this interface returns.
type Outcome = Result<Answer, Refusal>;
