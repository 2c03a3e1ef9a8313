-- The second line of defence behind the inbox: one mail per order and kind.
drop index notifications.notifications_once;
