//! The one place of a player: who has it, who may take it over, and for whom it is kept.

use std::time::Duration;

use stratus_frame::MonoTime;

use crate::message::{ClientId, Refusal, RefusalCode};

/// How a player went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parting {
    /// It said goodbye, or was sent away: nobody waits for it.
    Left,
    /// Its connection broke: it may come back.
    Lost,
}

/// The place of the player. `Id` numbers connections.
///
/// A client that has the place and connects anew takes it over from its own old connection, which
/// may not know yet that it is dead. Any other is refused while somebody has the place, and for a
/// while after its connection broke.
#[derive(Debug)]
pub struct PlayerPlace<Id> {
    grace: Duration,
    taken: Option<(Id, ClientId)>,
    kept: Option<(ClientId, MonoTime)>,
}

impl<Id: Copy + PartialEq> PlayerPlace<Id> {
    /// A free place, which is kept for `grace` after a player's connection broke.
    #[must_use]
    pub const fn new(grace: Duration) -> Self {
        Self { grace, taken: None, kept: None }
    }

    /// Whether this connection is the player's.
    #[must_use]
    pub fn is_taken_by(&self, id: Id) -> bool {
        self.taken.is_some_and(|(player, _)| player == id)
    }

    /// The player's connection.
    #[must_use]
    pub fn player(&self) -> Option<Id> {
        self.taken.map(|(id, _)| id)
    }

    /// `client` shows the player's token on connection `id`. Gives the connection that it takes
    /// the place from, if there is one: that must be sent away as *replaced*.
    ///
    /// # Errors
    /// A *busy* [`Refusal`], which says what a player can do.
    pub fn handle_hello(
        &mut self,
        now: MonoTime,
        client: ClientId,
        id: Id,
    ) -> Result<Option<Id>, Refusal> {
        let busy = |text| Err(Refusal { code: RefusalCode::Busy, text });
        let replaced = match self.taken {
            Some((old, known)) if client.is_same_as(known) => Some(old),
            Some(_) => {
                return busy(
                    "somebody plays this session already: close it there, or ask for a viewers' \
                     link to watch"
                        .to_owned(),
                );
            }
            None => None,
        };
        if let Some((known, until)) = self.kept.filter(|(_, until)| now < *until)
            && !client.is_same_as(known)
        {
            let left = until.since(now).as_secs() + 1;
            return busy(format!(
                "the player's connection broke, and its place is kept for it: try again in {left} s"
            ));
        }
        self.taken = Some((id, client));
        self.kept = None;
        Ok(replaced)
    }

    /// Connection `id` is over. Says whether it was the player's, so that there is none now.
    pub fn handle_parting(&mut self, now: MonoTime, id: Id, how: Parting) -> bool {
        let Some((_, client)) = self.taken.take_if(|(player, _)| *player == id) else {
            return false;
        };
        // An unknown client could never claim what is kept for it.
        let keep = how == Parting::Lost && client.is_same_as(client);
        self.kept = keep.then(|| (client, now.after(self.grace)));
        true
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const GRACE: Duration = Duration::from_secs(30);
    const A: ClientId = ClientId([1; 16]);
    const B: ClientId = ClientId([2; 16]);
    const UNKNOWN: ClientId = ClientId([0; 16]);

    fn at(seconds: u64) -> MonoTime {
        MonoTime::from_nanos(seconds * 1_000_000_000)
    }

    fn refused(result: Result<Option<u64>, Refusal>) -> String {
        let refusal = result.unwrap_err();
        assert_eq!(refusal.code, RefusalCode::Busy);
        refusal.text
    }

    #[test]
    fn a_client_takes_over_from_itself_and_from_nobody_else() {
        let mut place = PlayerPlace::new(GRACE);
        assert_eq!(place.handle_hello(at(0), A, 1), Ok(None));
        assert!(refused(place.handle_hello(at(1), B, 2)).contains("plays this session already"));
        assert_eq!(place.handle_hello(at(2), A, 3), Ok(Some(1)));
        assert!(!place.handle_parting(at(3), 1, Parting::Lost), "the old one has no place to lose");
        assert!(place.is_taken_by(3) && !place.is_taken_by(1));
        assert!(place.handle_parting(at(4), 3, Parting::Left));
        assert_eq!(place.handle_hello(at(4), B, 4), Ok(None));
    }

    #[test]
    fn a_broken_connections_place_is_kept_for_a_while() {
        let mut place = PlayerPlace::new(GRACE);
        place.handle_hello(at(0), A, 1).unwrap();
        assert!(place.handle_parting(at(10), 1, Parting::Lost));
        assert!(refused(place.handle_hello(at(12), B, 2)).contains("in 29 s"));
        assert_eq!(place.handle_hello(at(13), A, 3), Ok(None));
        place.handle_parting(at(20), 3, Parting::Lost);
        assert_eq!(place.handle_hello(at(50), B, 4), Ok(None));
    }

    #[test]
    fn who_cannot_be_known_again_replaces_nobody() {
        let mut place = PlayerPlace::new(GRACE);
        place.handle_hello(at(0), UNKNOWN, 1).unwrap();
        refused(place.handle_hello(at(1), UNKNOWN, 2));
        place.handle_parting(at(2), 1, Parting::Lost);
        assert_eq!(place.handle_hello(at(2), UNKNOWN, 3), Ok(None));
    }
}
