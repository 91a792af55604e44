//! Everything that can end a build, with the facts that a person needs to mend it.

mod code;

use camino::Utf8PathBuf;

use crate::RecipeError;
use crate::download::DownloadError;
use crate::syntax::SyntaxError;

/// Where a profile refers to something: an option of a section, and the text in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The section that refers.
    pub section: String,
    /// Its option.
    pub option: String,
    /// The text of the reference, such as `${app:port}`.
    pub text: String,
}

/// What is wrong with the text between `${` and `}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubstitutionProblem {
    /// It has no colon.
    NoColon,
    /// It has two or more.
    TooManyColons,
    /// The name before the colon has characters that no name has.
    SectionName,
    /// The name after the colon has characters that no name has.
    OptionName,
}

/// What went wrong.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The command line makes no sense.
    #[error("{0}")]
    Usage(String),
    /// The profile to build is not there.
    #[error("the profile {path} does not exist")]
    NoProfile {
        /// Its path.
        path: Utf8PathBuf,
        /// Files beside it with similar names.
        near: Vec<String>,
    },
    /// `init` where a profile is.
    #[error("the profile {path} exists already")]
    ProfileExists {
        /// Its path.
        path: Utf8PathBuf,
    },
    /// Lines of a profile that are no profile language.
    #[error(transparent)]
    Syntax(#[from] SyntaxError),
    /// A profile that another one extends cannot be read.
    #[error("cannot read the profile {name}")]
    Extends {
        /// Its path or URL.
        name: String,
        /// The profiles that lead to it, the outermost first; empty for the root profile.
        chain: Vec<String>,
        /// The word of the `extends` option that names it.
        word: String,
        /// Files with similar names, where it should be.
        near: Vec<String>,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A profile extends itself.
    #[error("the profile {name} extends itself")]
    RecursiveInclude {
        /// Its path or URL.
        name: String,
        /// The profiles that lead to it, the outermost first.
        chain: Vec<String>,
        /// The word of the `extends` option that names it again.
        word: String,
    },
    /// The option `extended-by` of long ago.
    #[error("the profile {name} uses `extended-by`, which has no meaning any more")]
    ExtendedBy {
        /// The profile.
        name: String,
    },
    /// The condition of a section cannot be decided.
    #[error("the condition of section [{section}] cannot be decided")]
    Condition {
        /// The section.
        section: String,
        /// The text of the condition.
        expression: String,
        /// The profile.
        file: String,
        /// The line of the header, from 1.
        line: u32,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A section that is referred to does not exist.
    #[error("{}section [{section}] does not exist", prefix(.reference.as_ref()))]
    UnknownSection {
        /// The section.
        section: String,
        /// Where it is named, when the profile names it.
        reference: Option<Reference>,
        /// Names that are close.
        near: Vec<String>,
    },
    /// An option that is referred to does not exist.
    #[error("`{}` in section [{}] refers to an option that does not exist", reference.text, reference.section)]
    UnknownOption {
        /// The section that should have it.
        section: String,
        /// The option.
        option: String,
        /// Where it is named.
        reference: Reference,
        /// The options that the section has.
        has: Vec<String>,
        /// When the section cannot have it yet, since its initialisation waits for what refers to it: the sections
        /// from it to that one.
        circle: Vec<String>,
    },
    /// A section lacks an option that its recipe needs.
    #[error("section [{section}] has no option `{option}`")]
    MissingOption {
        /// The section.
        section: String,
        /// The option.
        option: String,
        /// Options of it that are close.
        near: Vec<String>,
    },
    /// The text between `${` and `}` is no reference.
    #[error("`{}` in section [{}] is no reference to an option", reference.text, reference.section)]
    Substitution {
        /// Where it stands.
        reference: Reference,
        /// What is wrong with it.
        problem: SubstitutionProblem,
    },
    /// Options that refer to one another in a circle.
    #[error("the option {} of section [{}] refers to itself", chain[0].1, chain[0].0)]
    Circular {
        /// Sections and options from the first to the one that closes the circle.
        chain: Vec<(String, String)>,
        /// The reference that closes it.
        reference: Reference,
    },
    /// References nested beyond every reason.
    #[error("references are nested more than {limit} deep")]
    TooDeep {
        /// The limit.
        limit: usize,
    },
    /// An option that becomes too long when its references are expanded.
    #[error("the option {option} of section [{section}] becomes longer than {} MiB", limit >> 20)]
    TooLong {
        /// The section.
        section: String,
        /// The option.
        option: String,
        /// The limit, in bytes.
        limit: usize,
    },
    /// An option with which all options together become too long.
    #[error(
        "with the option {option} of section [{section}], all options together become longer than {} MiB",
        limit >> 20
    )]
    TooMuch {
        /// The section.
        section: String,
        /// The option.
        option: String,
        /// The limit, in bytes.
        limit: usize,
    },
    /// A macro that does not exist.
    #[error("section [{section}] takes its options from [{parent}], which does not exist")]
    UnknownMacro {
        /// The section.
        section: String,
        /// What its `<` option names.
        parent: String,
        /// Names that are close.
        near: Vec<String>,
    },
    /// Macros that take their options from one another.
    #[error("section [{section}] takes its options from itself")]
    MacroLoop {
        /// The section.
        section: String,
    },
    /// An option of `[buildout]` that wants another kind of value.
    #[error("`{value}` is no value for the option {option} of [buildout]")]
    InvalidValue {
        /// The option.
        option: String,
        /// What it says.
        value: String,
        /// What it may say.
        expected: &'static str,
    },
    /// A relative directory whose base is not on this machine.
    #[error("`{option} = {value}` in {file} is relative to a remote profile")]
    RelativeInRemote {
        /// The option of `[buildout]`.
        option: String,
        /// Its value.
        value: String,
        /// The profile.
        file: String,
    },
    /// A recipe that neither this program nor the Python worker has.
    #[error("recipe `{recipe}` of [{section}] does not exist here")]
    UnknownRecipe {
        /// The part.
        section: String,
        /// What its `recipe` option says.
        recipe: String,
        /// Recipes that are close.
        near: Vec<String>,
        /// Whether recipes written in Python could be asked.
        python_asked: bool,
    },
    /// A recipe refused or failed.
    #[error("{error}")]
    Recipe {
        /// The part.
        section: String,
        /// What it says.
        #[source]
        error: RecipeError,
    },
    /// A download failed.
    #[error(transparent)]
    Download(#[from] DownloadError),
    /// No Python was found, or it does not answer.
    #[error(transparent)]
    Python(#[from] host::python::PythonError),
    /// Another build runs in the directory.
    #[error("another build is running in {directory}")]
    Locked {
        /// The buildout directory.
        directory: Utf8PathBuf,
        /// The process that builds, if the kernel tells.
        pid: Option<u32>,
    },
    /// The record of what is installed cannot be understood.
    #[error("the record of installed parts {path} is damaged")]
    Record {
        /// Its path.
        path: Utf8PathBuf,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A file or directory could not be used.
    #[error("{doing}")]
    File {
        /// What could not be done.
        doing: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A refusal that the Python engine takes for a bug of its own.
    #[error("{message}")]
    Exception {
        /// The exception that it raises.
        name: &'static str,
        /// The option of `[buildout]` that is to blame.
        option: &'static str,
        /// The text.
        message: String,
        /// What to do next.
        hint: &'static str,
        /// The code under which the manual explains it.
        code: &'static str,
    },
    /// A refusal with its well-known text.
    #[error("{message}")]
    Refused {
        /// The text.
        message: String,
        /// What to do next.
        hint: Option<String>,
        /// The code under which the manual explains it.
        code: &'static str,
    },
}

fn prefix(reference: Option<&Reference>) -> String {
    reference.map_or_else(String::new, |reference| {
        format!("`{}` in section [{}]: ", reference.text, reference.section)
    })
}
