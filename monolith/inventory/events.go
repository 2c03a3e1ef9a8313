package inventory

// What inventory publishes, once catalog is far and has to be told: one event per
// transaction, with every book that changed in it.
const stockChanged = "stock.changed"
