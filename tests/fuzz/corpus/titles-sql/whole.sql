INSERT INTO `langlinks` VALUES (1,'de','Sonne (Stern)'),(2,'fr','L\'\'eau');
INSERT INTO `page` VALUES (1,0,'Sun_(star)','',0),(2,0,'Water','',0);
