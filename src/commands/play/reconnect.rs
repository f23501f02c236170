//! A connection that broke is made anew.

use std::time::Duration;

use stratus_stream::core::link::Link;
use stratus_stream::{ConnectError, Player, PlayerConfig};
use tokio::time::{Instant, sleep};

use crate::player::Reception;

/// How long it is tried.
pub(super) const GRACE: Duration = Duration::from_secs(60);
/// The pause between the first two attempts; each further one is twice as long, up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(4);

/// Tries until it works, or can never work, or [`GRACE`] is over. Tells each failure.
///
/// # Errors
/// The last failure.
pub(super) async fn reconnect(
    link: &Link,
    mut tell: impl FnMut(&ConnectError),
) -> Result<Player, ConnectError> {
    let until = Instant::now() + GRACE;
    let mut pause = FIRST_PAUSE;
    loop {
        match Reception::join(link, PlayerConfig::default()).await {
            Ok(player) => return Ok(player),
            Err(e) if is_final(&e) || Instant::now() + pause > until => return Err(e),
            Err(e) => tell(&e),
        }
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Whether another attempt would end alike.
fn is_final(error: &ConnectError) -> bool {
    match error {
        ConnectError::Certificate { .. }
        | ConnectError::Protocol { .. }
        | ConnectError::Refused { .. }
        | ConnectError::Local { .. } => true,
        ConnectError::Resolve { .. }
        | ConnectError::NobodyListens { .. }
        | ConnectError::Timeout { .. }
        | ConnectError::Overrun { .. }
        | ConnectError::Lost { .. } => false,
    }
}
