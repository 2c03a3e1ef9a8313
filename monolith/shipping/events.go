package shipping

import "github.com/google/uuid"

// What shipping publishes, once notifications is far.
const shipmentDispatched = "shipment.dispatched"

// dispatchedData is which parcel left the house.
type dispatchedData struct {
	ShipmentID     uuid.UUID `json:"shipment_id"`
	OrderID        uuid.UUID `json:"order_id"`
	AccountID      uuid.UUID `json:"account_id"`
	TrackingNumber string    `json:"tracking_number"`
}

func shipmentEvent(s Shipment, trackingNumber string) dispatchedData {
	return dispatchedData{s.ID, s.OrderID, s.AccountID, trackingNumber}
}
