//! Eggs: the distributions that parts need, installed under the pins of `[versions]`.
//!
//! What the profile says about them comes in [`crate::EggSettings`], which [`crate::Section::egg_settings`] and
//! [`crate::Part::egg_settings`] give.
