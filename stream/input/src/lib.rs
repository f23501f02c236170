//! Gives a player's input to the game, through devices of its own at the compositor.
