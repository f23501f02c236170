//! Takes the sound of games and encodes it.
