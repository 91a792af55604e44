//! Records of installed parts: any text is read or refused, and what is written reads the same.

#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| buildout::fuzzing::record(text));
