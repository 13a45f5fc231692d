CREATE DATABASE frontdesk_bot OWNER frontdesk;
