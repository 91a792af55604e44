//! Usage reports: what an instance consumed, and the journal that a computer sends.

use super::WireError;
use super::xml::{self, Element};

/// One thing that was consumed. All texts are as the instance wrote them, but the two numbers are numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Movement {
    /// Its fields in the order in which they are written, the reference excepted.
    fields: Vec<(String, String)>,
}

/// A field that may come next: its name, whether it must, whether it may come again, whether it is a number.
struct Field {
    name: &'static str,
    is_required: bool,
    repeats: bool,
    is_number: bool,
}

const fn text(name: &'static str, is_required: bool) -> Field {
    Field { name, is_required, repeats: false, is_number: false }
}

const CATEGORY: Field = Field { name: "category", is_required: false, repeats: true, is_number: false };

const MOVEMENT: [Field; 7] = [
    text("resource", true),
    text("title", false),
    text("reference", false),
    Field { name: "quantity", is_required: true, repeats: false, is_number: true },
    Field { name: "price", is_required: true, repeats: false, is_number: true },
    text("VAT", true),
    CATEGORY,
];

const TRANSACTION: [Field; 7] = [
    text("title", false),
    text("start_date", true),
    text("stop_date", true),
    text("reference", true),
    text("currency", true),
    text("payment_mode", true),
    CATEGORY,
];

const ARROW: [Field; 2] = [text("source", false), text("destination", false)];

/// Reads what an instance says that it consumed.
///
/// # Errors
/// The document is not exactly of the form that masters accept.
pub fn read_consumption(document: &str) -> Result<Vec<Movement>, WireError> {
    let root = xml::parse(document)?;
    if root.name != "consumption" || root.children.is_empty() {
        return Err(WireError::Unexpected("a consumption with movements is expected".to_owned()));
    }
    root.children.iter().map(movement).collect()
}

/// Whether a document is a journal that masters accept.
///
/// # Errors
/// It is not.
pub fn check_journal(document: &str) -> Result<(), WireError> {
    let root = xml::parse(document)?;
    if root.name != "journal" || root.children.is_empty() {
        return Err(WireError::Unexpected("a journal with transactions is expected".to_owned()));
    }
    root.children.iter().try_for_each(transaction)
}

/// Writes the journal in which a computer passes on what its instances consumed: for each the id of its partition and
/// its movement.
///
/// # Errors
/// A text with a character that XML cannot carry.
pub fn write_journal(
    computer: &str,
    stop_date: &str,
    movements: &[(&str, &Movement)],
) -> Result<String, WireError> {
    let mut text = String::from("<journal><transaction type=\"Sale Packing List\">");
    let header = [
        ("title", "Resource consumptions"),
        ("start_date", ""),
        ("stop_date", stop_date),
        ("reference", computer),
        ("currency", ""),
        ("payment_mode", ""),
        ("category", ""),
    ];
    for (name, value) in header {
        element(&mut text, name, value)?;
    }
    text.push_str("<arrow type=\"Administration\"><source></source><destination></destination></arrow>");
    for (partition, movement) in movements {
        text.push_str("<movement>");
        // The place of the reference is after the title, which may be absent.
        let place = movement
            .fields
            .iter()
            .take_while(|(name, _)| matches!(name.as_str(), "resource" | "title"))
            .count();
        for (index, (name, value)) in movement.fields.iter().enumerate() {
            if index == place {
                element(&mut text, "reference", partition)?;
            }
            element(&mut text, name, value)?;
        }
        text.push_str("</movement>");
    }
    text.push_str("</transaction></journal>");
    Ok(text)
}

fn transaction(transaction: &Element) -> Result<(), WireError> {
    if transaction.name != "transaction" || transaction.attribute("type").is_none() {
        return Err(WireError::Unexpected("a transaction with a type is expected".to_owned()));
    }
    let is_header = |child: &&Element| !matches!(child.name.as_str(), "arrow" | "movement");
    let header = transaction.children.iter().take_while(is_header).count();
    let (header, rest) = transaction.children.split_at(header);
    fields(header, &TRANSACTION)?;
    let arrows = rest.iter().take_while(|child| child.name == "arrow").count();
    let (arrows, movements) = rest.split_at(arrows);
    if arrows.is_empty() || movements.is_empty() {
        return Err(WireError::Unexpected("a transaction needs an arrow and a movement".to_owned()));
    }
    for arrow in arrows {
        if arrow.attribute("type").is_none() {
            return Err(WireError::Unexpected("an arrow needs a type".to_owned()));
        }
        fields(&arrow.children, &ARROW)?;
    }
    movements.iter().try_for_each(|child| movement(child).map(drop))
}

fn movement(element: &Element) -> Result<Movement, WireError> {
    if element.name != "movement" {
        return Err(WireError::Unexpected(format!("`{}` is not a movement", element.name)));
    }
    let mut fields = fields(&element.children, &MOVEMENT)?;
    fields.retain(|(name, _)| name != "reference");
    Ok(Movement { fields })
}

/// Reads children that must be `expected`, in this order.
fn fields(children: &[Element], expected: &[Field]) -> Result<Vec<(String, String)>, WireError> {
    let mut rest = children.iter().peekable();
    let mut found = Vec::new();
    for field in expected {
        let mut count = 0;
        while let Some(child) =
            rest.next_if(|child| child.name == field.name && (count == 0 || field.repeats))
        {
            if !child.children.is_empty() || (field.is_number && child.text.trim().parse::<f64>().is_err()) {
                return Err(WireError::Unexpected(format!("`{}` does not hold what it should", field.name)));
            }
            found.push((child.name.clone(), child.text.clone()));
            count += 1;
        }
        if field.is_required && count == 0 {
            return Err(WireError::Unexpected(format!("`{}` is missing", field.name)));
        }
    }
    match rest.next() {
        None => Ok(found),
        Some(child) => Err(WireError::Unexpected(format!("`{}` is out of place", child.name))),
    }
}

fn element(output: &mut String, name: &str, value: &str) -> Result<(), WireError> {
    xml::check(value)?;
    let value = value.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    output.extend(["<", name, ">", value.as_str(), "</", name, ">"]);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONSUMPTION: &str = "<?xml version='1.0'?>\n<consumption>\n <movement><resource>CPU &amp; more</resource>\
        <title>Title</title><reference>mine</reference><quantity>42.42</quantity><price>0.00</price><VAT>None</VAT>\
        <category>None</category></movement>\n</consumption>";

    #[test]
    fn movements_are_passed_on_with_the_partition_as_reference() {
        let movements = read_consumption(CONSUMPTION).unwrap();

        let journal =
            write_journal("COMP-1", "2024-01-31 at 23:59:59", &[("slappart0", &movements[0])]).unwrap();

        insta::assert_snapshot!(journal, @r#"<journal><transaction type="Sale Packing List"><title>Resource consumptions</title><start_date></start_date><stop_date>2024-01-31 at 23:59:59</stop_date><reference>COMP-1</reference><currency></currency><payment_mode></payment_mode><category></category><arrow type="Administration"><source></source><destination></destination></arrow><movement><resource>CPU &amp; more</resource><title>Title</title><reference>slappart0</reference><quantity>42.42</quantity><price>0.00</price><VAT>None</VAT><category>None</category></movement></transaction></journal>"#);
        check_journal(&journal).unwrap();
    }

    #[test]
    fn what_masters_would_refuse_is_refused() {
        for (what, with) in [
            ("<quantity>42.42</quantity>", ""),
            ("42.42", "many"),
            ("<VAT>None</VAT>", "<VAT>None</VAT><VAT>None</VAT>"),
            ("<price>0.00</price>", "<price>0.00</price><colour>red</colour>"),
            ("consumption", "consumptions"),
        ] {
            assert!(read_consumption(&CONSUMPTION.replace(what, with)).is_err(), "{what} -> {with}");
        }
        assert!(check_journal("<journal></journal>").is_err());
        assert!(check_journal("<journal><transaction><title/></transaction></journal>").is_err());
        assert!(check_journal("no xml").is_err());
    }
}
