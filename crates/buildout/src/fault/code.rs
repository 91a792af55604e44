//! The codes under which the manual explains each fault.

use crate::Fault;
use crate::download::DownloadError;

impl Fault {
    /// The code under which the manual explains it.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Usage(_) => "E-usage",
            Self::NoProfile { .. } => "E-profile-missing",
            Self::ProfileExists { .. } => "E-profile-exists",
            Self::Syntax(_) | Self::ExtendedBy { .. } => "E-profile-syntax",
            Self::Extends { source, .. } => match source.downcast_ref::<DownloadError>() {
                Some(error @ DownloadError::Checksum(_)) => error.code(),
                Some(DownloadError::TooLarge { .. }) => "E-profile-too-large",
                None if is_too_large(&**source) => "E-profile-too-large",
                _ => "E-profile-extends-missing",
            },
            Self::RecursiveInclude { .. } => "E-profile-extends-loop",
            Self::Condition { .. } => "E-profile-condition",
            Self::UnknownSection { .. } => "E-profile-unknown-section",
            Self::UnknownOption { .. } => "E-profile-unknown-option",
            Self::MissingOption { .. } => "E-profile-missing-option",
            Self::Substitution { .. } => "E-profile-substitution",
            Self::Circular { .. } => "E-profile-circular",
            Self::TooDeep { .. } => "E-profile-too-deep",
            Self::TooLong { .. } | Self::TooMuch { .. } => "E-profile-too-large",
            Self::UnknownMacro { .. } => "E-profile-unknown-macro",
            Self::MacroLoop { .. } => "E-profile-macro-loop",
            Self::InvalidValue { .. } | Self::RelativeInRemote { .. } => "E-profile-value",
            Self::UnknownRecipe { .. } => "E-recipe-missing",
            Self::Recipe { error, .. } => error.error_code(),
            Self::Download(error) => error.code(),
            Self::Python(error) => error.code(),
            Self::Locked { .. } => "E-lock-held",
            Self::Record { .. } => "E-record-damaged",
            Self::File { source, .. } => match source.kind() {
                std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => "E-disk-full",
                std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => {
                    "E-file-permission"
                }
                _ => "E-file",
            },
            Self::Refused { code, .. } | Self::Exception { code, .. } => code,
        }
    }
}

fn is_too_large(error: &(dyn std::error::Error + 'static)) -> bool {
    let error = error.downcast_ref::<std::io::Error>();
    error.is_some_and(|error| error.kind() == std::io::ErrorKind::FileTooLarge)
}
