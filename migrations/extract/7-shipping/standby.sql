revoke insert, update, delete on shipping.shipments from shipping_app;
