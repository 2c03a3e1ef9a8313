package main

import (
	"context"
	"errors"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"banyan/internal/postgres"
)

func queueInsertShipment(b *pgx.Batch, id, orderID, accountID uuid.UUID, address []byte) {
	b.Queue(`
		insert into shipments (id, order_id, account_id, status, address, created_at)
		values ($1, $2, $3, 'preparing', $4, now())
		on conflict (order_id) do nothing`, id, orderID, accountID, address)
}

// An order without a shipment gets one that is cancelled.
const cancelShipmentQuery = `
	insert into shipments (id, order_id, account_id, status, created_at)
	values ($1, $2, $3, 'cancelled', now())
	on conflict (order_id) do update
	set status = case shipments.status when 'preparing' then 'cancelled' else shipments.status end
	returning status`

// cancelShipment returns the shipment's status after it: dispatched, if the
// parcel has left.
func cancelShipment(ctx context.Context, q postgres.Querier, id, orderID, accountID uuid.UUID) (status string, err error) {
	err = q.QueryRow(ctx, cancelShipmentQuery, id, orderID, accountID).Scan(&status)
	return status, err
}

// queueDispatch fails the batch, and refused reports it, unless the parcel is
// being prepared: its status becomes null, which the column refuses.
func queueDispatch(b *pgx.Batch, id uuid.UUID, trackingNumber string) {
	b.Queue(`
		update shipments
		set status = case status when 'preparing' then 'dispatched' end, tracking_number = $2
		where id = $1`, id, trackingNumber)
}

func refused(err error) bool { return postgres.NotNullViolation(err, "shipments", "status") }

const shipmentColumns = `id, order_id, account_id, status, tracking_number`

func selectShipment(ctx context.Context, q postgres.Querier, id uuid.UUID) (Shipment, error) {
	rows, err := q.Query(ctx, `select `+shipmentColumns+` from shipments where id = $1`, id)
	if err != nil {
		return Shipment{}, err
	}
	s, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[Shipment])
	if errors.Is(err, pgx.ErrNoRows) {
		return Shipment{}, ErrNotFound
	}
	return s, err
}

func selectShipments(ctx context.Context, q postgres.Querier, accountID, orderID uuid.UUID, most int, before uuid.UUID) ([]Shipment, error) {
	rows, err := q.Query(ctx, `
		select `+shipmentColumns+`
		from shipments
		where account_id = $1 and id < $2 and ($3::uuid = '00000000-0000-0000-0000-000000000000' or order_id = $3)
		order by id desc
		limit $4`, accountID, before, orderID, most)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[Shipment])
}
