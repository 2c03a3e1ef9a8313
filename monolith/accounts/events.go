package accounts

import "github.com/google/uuid"

// What accounts publishes, once notifications is far.
const accountRegistered = "account.registered"

// accountData is what others keep of a customer.
type accountData struct {
	AccountID uuid.UUID `json:"account_id"`
	Email     string    `json:"email"`
	Name      string    `json:"name"`
}

func accountEvent(a Account) accountData { return accountData{a.ID, a.Email, a.Name} }
