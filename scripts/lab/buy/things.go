package buy

// mail is a message in the customer's mailbox, which is no part of the shop.
type mail struct {
	Subject string `json:"subject"`
	Body    string `json:"body"`
}
