//! Conditions of sections: any text is decided or refused.

#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| buildout::fuzzing::condition(text));
