//! Ids for idempotent producers.

use super::{Engine, Refusal};
use crate::types::{ErrorCode, ProducerId};

impl Engine {
    /// A producer id that nobody ever had.
    pub async fn new_producer_id(&self) -> Result<ProducerId, Refusal> {
        // Clients ask again for as long as the coordinator is loading.
        self.ask(self.catalog.new_producer_id())
            .await
            .map_err(|_| ErrorCode::COORDINATOR_LOAD_IN_PROGRESS.into())
    }
}
